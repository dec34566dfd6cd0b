/*
 * range.h - which part of a file a request asks for: Range, If-Range, If-Match, If-None-Match of
 * RFC 9110 sections 13.1, 13.1.5 and 14.  Pure.
 *
 * One range is served; a request for several is answered whole (section 14.2 allows it).
 */
#ifndef MUE_SERVER_HTTP_RANGE_H
#define MUE_SERVER_HTTP_RANGE_H

#include <stdint.h>

struct mue_range_request {
	const char *range, *if_range, *if_match, *if_none_match; /* NULL: header absent */
	const char *etag;                                        /* without quotes */
	uint64_t size;
};

struct mue_range {
	unsigned status;      /* 200, 206, 304, 412, 416 */
	uint64_t offset, len; /* of the body for 200 and 206 */
};

struct mue_range mue_range_decide(const struct mue_range_request *q);

#endif
