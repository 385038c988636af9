/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_IO_PIPE_SIZE_H
#define SL_IO_PIPE_SIZE_H

/* Private to lib/io. */

/* If fd is a pipe with less room than SL_PIPE_BYTES, ask for so much; nothing
 * happens where it is no pipe or the system refuses. errno is kept. */
void sl_pipe_widen(int fd);

enum { SL_PIPE_BYTES = 256 << 10 };

#endif
