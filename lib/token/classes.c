/* SPDX-License-Identifier: Apache-2.0 */
/* The table of classes.h. It is of its own, beside that of lib/text, because tokenizers fix
 * the version of Unicode: a newer table would cut texts in other places than the model's
 * tokenizer did, and so give other ids. */
#include "token/classes.h"

#include "token/classes_table.h"
