/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_WEB_WARC_H
#define SL_WEB_WARC_H

/* WARC records from bytes: plain, gzip and zstd, damaged ones too.
 *
 * Input     a source opened SL_SOURCE_PLAIN. The form is found by content:
 *             plain   records one after another
 *             gzip    a member a record (the usual form), or several records
 *                     in one member, or one member for the whole file
 *             zstd    frames likewise; a leading skippable frame 0x184D2A5D
 *                     holds a dictionary, itself raw or one zstd frame
 * Accepted  WARC/0.17, 0.18, 1.0, 1.1 and later; lines that end in LF alone;
 *           <angle brackets> round addresses; none, one or more blank lines
 *           between records; folded headers; header lines without a colon
 *           (ignored); a missing Content-Length where the member ends the
 *           record or the type is warcinfo; a record split over several gzip
 *           members, where the later ones do not begin with "WARC/".
 * Lengths   In a gzip member or zstd frame that holds one record, the end of
 *           the member is the truth: a Content-Length that lies is flagged and
 *           the record delivered. Elsewhere a record whose length leads to no
 *           border of records is lost, and the next is found by its own head.
 *           Where blank lines follow a block the length is believed, and what
 *           stands behind them is the next, perhaps damaged, record.
 * Damage    is no error of the call: it comes as a record of kind SL_WARC_LOST
 *           with its reason and place, and reading goes on. A damaged, cut or
 *           foreign stretch is one lost record. After it, the reader searches
 *           forward: in gzip for 1F 8B 08 with reserved flags clear that
 *           inflates to "WARC/"; in zstd for a whole frame that begins so; in
 *           plain bytes for a line "WARC/N.N" and a head with WARC-Type.
 *           Checksums of gzip members and of zstd frames that have one are
 *           verified before a record is delivered. In a damaged member that
 *           held several records the last one that could be decoded is lost,
 *           those before it are delivered as SL_WARC_UNVERIFIED.
 * Limits    head of a record   SL_WARC_HEAD_MAX
 *           block              max_record_bytes of sl_warc_new
 *           inflation          SL_WARC_RATIO_MAX times, over SL_WARC_RATIO_FREE
 *           What is over a limit is lost, never held. A member or frame larger
 *           than a record may be is streamed where it holds many records.
 * Memory    about twice the largest record and 8 MiB; constant for any file.
 * Threads   one thread a reader. Blocks on input.
 * Source    WARC 1.0 and 1.1, iipc.github.io/warc-specifications; the zstd
 *           form as in "Zstandard compression for WARC files". */

#include <stdint.h>

#include "io/source.h"

#define SL_WARC_HEAD_MAX ((size_t)64 << 10)
#define SL_WARC_RECORD_MAX ((size_t)64 << 20) /* default of max_record_bytes */
#define SL_WARC_RATIO_MAX 512
#define SL_WARC_RATIO_FREE ((size_t)1 << 20)
#define SL_WARC_RAW_MAX ((size_t)64 << 10)

struct sl_warc_reader;

enum sl_warc_form { SL_WARC_PLAIN = 1, SL_WARC_GZIP, SL_WARC_ZSTD };

enum sl_warc_kind {
    SL_WARC_RECORD = 1,
    SL_WARC_LOST /* a record that could not be had: why, reason, lost_bytes */
};

enum sl_warc_type {
    SL_WARC_OTHER, /* a type of no standard; type_name has it */
    SL_WARC_WARCINFO,
    SL_WARC_RESPONSE,
    SL_WARC_RESOURCE,
    SL_WARC_REQUEST,
    SL_WARC_METADATA,
    SL_WARC_REVISIT,
    SL_WARC_CONVERSION,
    SL_WARC_CONTINUATION
};

enum sl_warc_why {
    SL_WARC_DAMAGED = 1, /* undecodable bytes, a wrong checksum, a foreign stretch */
    SL_WARC_CUT,         /* the input ends inside the record */
    SL_WARC_LENGTH,      /* Content-Length is absent or leads astray */
    SL_WARC_HEAD,        /* no head, or one over SL_WARC_HEAD_MAX */
    SL_WARC_OVERSIZED,   /* over max_record_bytes */
    SL_WARC_RATIO        /* over SL_WARC_RATIO_MAX: a bomb */
};

enum sl_warc_flag {
    SL_WARC_OWN = 1,           /* off is that of a member or frame with this record alone */
    SL_WARC_LENGTH_WRONG = 2,  /* Content-Length lied; the block ends with the member */
    SL_WARC_LENGTH_ABSENT = 4, /* no usable Content-Length; the same */
    SL_WARC_JOINED = 8,        /* put together from several members */
    SL_WARC_FOLDED = 16,       /* the head had continuation lines; they are unfolded here */
    SL_WARC_UNVERIFIED = 32    /* from a member that was found damaged further on */
};

/* One record, or one loss. Strings are borrowed from the reader; absent
 * headers are empty. Of repeated headers the first counts. */
struct sl_warc_record {
    enum sl_warc_kind kind;
    enum sl_warc_type type;
    unsigned flags;         /* enum sl_warc_flag, or-ed */
    int64_t off;            /* SL_WARC_OWN: in the file; else in the decompressed bytes */
    int64_t declared_bytes; /* Content-Length, -1 where there is no usable one */
    struct sl_str version;  /* "1.0" */
    struct sl_str head;     /* header lines, without the version line */
    struct sl_str block;
    struct sl_str type_name;
    struct sl_str id;  /* WARC-Record-ID without angle brackets and blanks */
    struct sl_str uri; /* WARC-Target-URI without angle brackets */
    struct sl_str date;
    struct sl_str content_type;
    struct sl_str ip;
    struct sl_str payload_digest;
    struct sl_str block_digest;
    struct sl_str truncated;    /* WARC-Truncated */
    struct sl_str refers_to;    /* without angle brackets and blanks */
    struct sl_str payload_type; /* WARC-Identified-Payload-Type */
    struct sl_str language;     /* WARC-Identified-Content-Language */
    /* Of a loss. Head fields are those that could be read; block is the first
     * bytes as they could be decoded, SL_WARC_RAW_MAX at most. */
    enum sl_warc_why why;
    int64_t lost_bytes; /* from off to where reading goes on, in the same bytes as off */
    const char *reason; /* one line for people; static */
};

/* Read records from src, which stays the caller's and must outlive the reader.
 *
 * max_record_bytes  largest block, 0 for SL_WARC_RECORD_MAX; at most 1 GiB / 2
 * Returns           SL_OK; SL_E_USAGE for an absurd limit; SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_warc_new(struct sl_warc_reader **out, struct sl_source *src,
                                       size_t max_record_bytes, struct sl_err *err);
void sl_warc_free(struct sl_warc_reader *r); /* NULL allowed */

/* The next record or loss.
 *
 * Returns  SL_OK; SL_END; SL_E_DATA where the input is no WARC at all (an ARC
 *          file is named as such; an empty input too); SL_E_SYSTEM. Errors are
 *          sticky.
 * Lifetime rec's strings are valid until the next call. */
SL_MUST_USE enum sl_status sl_warc_next(struct sl_warc_reader *r, struct sl_warc_record *rec,
                                        struct sl_err *err);

/* Known after the first sl_warc_next that returned SL_OK. */
enum sl_warc_form sl_warc_form(const struct sl_warc_reader *r);

/* The first value of any header, by name in either case; empty where absent. */
struct sl_str sl_warc_header(const struct sl_warc_record *rec, struct sl_str name);

/* "response", "lost" names for reports: of a type, of a reason. */
const char *sl_warc_type_name(enum sl_warc_type type);
const char *sl_warc_why_name(enum sl_warc_why why);

#endif
