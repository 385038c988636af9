/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_IO_DECODER_H
#define SL_IO_DECODER_H

/* Streaming decompression behind a source. Private to lib/io.
 *
 * A decoder takes a whole file of gzip members or zstd frames, one behind the
 * other, in pieces as they come.
 *
 * Threads   one thread an object. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Pieces of one step; the step moves in and out forward by what it used. */
struct sl_decoder_io {
    const uint8_t *in;
    size_t in_n;
    uint8_t *out;
    size_t out_n;
    bool in_last; /* no input follows what is in `in` */
};

/* step: decode until out is full or in is used up.
 * Returns  SL_OK; SL_END where the input is over and the last piece was whole;
 *          SL_E_DATA where it is damaged or cut (io->in is near the place);
 *          SL_E_SYSTEM where memory is out. */
struct sl_decoder_kind {
    void *(*new)(void); /* NULL: out of memory */
    void (*free)(void *decoder);
    enum sl_status (*step)(void *decoder, struct sl_decoder_io *io, struct sl_err *err);
};

extern const struct sl_decoder_kind sl_decoder_gzip; /* RFC 1952, checksums verified */
extern const struct sl_decoder_kind sl_decoder_zstd; /* RFC 8878, checksums verified */

#endif
