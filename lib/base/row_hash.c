/* SPDX-License-Identifier: Apache-2.0 */
/* The key of a row is (id, copy): a repeated row gets a hash of its own, so
 * that the copies of a document do not stay together in a shuffle. */
#include "base/row_hash.h"

#include <string.h>

#include "base/hash.h"
#include "base/num.h"

uint64_t sl_row_seed(const char *purpose, uint64_t seed)
{
    return sl_hash64_seed(purpose, strlen(purpose), seed);
}

uint64_t sl_row_hash(const uint8_t id[16], uint16_t copy, uint64_t row_seed)
{
    uint8_t key[18];
    memcpy(key, id, 16);
    sl_store16(key + 16, copy);
    return sl_hash64_seed(key, sizeof key, row_seed);
}
