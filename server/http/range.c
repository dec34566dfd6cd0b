#include "server/http/range.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const char *blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* Digits only; past 2^64 the number saturates.  NULL when there is no digit. */
static const char *number(const char *s, uint64_t *ret)
{
	const char *start = s;
	uint64_t n = 0;

	for (; *s >= '0' && *s <= '9'; s++) {
		uint64_t digit = (uint64_t)(*s - '0');

		n = n > (UINT64_MAX - digit) / 10 ? UINT64_MAX : n * 10 + digit;
	}
	if (s == start)
		return NULL;
	*ret = n;
	return s;
}

/* Is the entity tag in a list such as  W/"a", "b"  or "*"?  `weak`: W/ may be ignored. */
static bool tag_in(const char *list, const char *etag, bool weak)
{
	size_t len = strlen(etag);

	if (*blanks(list) == '*')
		return true;
	for (const char *p = list; (p = strchr(p, '"'));) {
		const char *end = strchr(p + 1, '"');
		bool is_weak = p - list >= 2 && p[-1] == '/' && (p[-2] == 'W' || p[-2] == 'w');

		if (!end)
			return false;
		if ((weak || !is_weak) && (size_t)(end - p - 1) == len && !memcmp(p + 1, etag, len))
			return true;
		p = end + 1;
	}
	return false;
}

enum spec { SPEC_ABSENT, SPEC_GOOD, SPEC_UNSATISFIABLE };

/* "bytes=a-b", "bytes=a-", "bytes=-n".  What is malformed, of another unit or several ranges
 * counts as absent. */
static enum spec parse(const char *s, uint64_t size, struct mue_range *ret)
{
	uint64_t first = 0, last = UINT64_MAX;
	const char *p;
	bool suffix;

	if (!s || strncasecmp(s, "bytes=", 6))
		return SPEC_ABSENT;
	s = blanks(s + 6);
	suffix = *s == '-';
	if (!suffix) {
		s = number(s, &first);
		if (!s || *s != '-')
			return SPEC_ABSENT;
	}
	p = number(s + 1, &last);
	if ((!p && suffix) || (p && !suffix && last < first))
		return SPEC_ABSENT;
	if (*blanks(p ? p : s + 1))
		return SPEC_ABSENT;
	if (suffix) {
		first = last < size ? size - last : 0;
		if (last == 0 || size == 0)
			return SPEC_UNSATISFIABLE;
		last = UINT64_MAX;
	}
	if (first >= size)
		return SPEC_UNSATISFIABLE;
	ret->offset = first;
	ret->len = (last < size ? last + 1 : size) - first;
	return SPEC_GOOD;
}

struct mue_range mue_range_decide(const struct mue_range_request *q)
{
	struct mue_range whole = { .status = 200, .offset = 0, .len = q->size };
	struct mue_range part = { .status = 206 };

	if (q->if_match && !tag_in(q->if_match, q->etag, false))
		return (struct mue_range){ .status = 412 };
	if (q->if_none_match && tag_in(q->if_none_match, q->etag, true))
		return (struct mue_range){ .status = 304 };
	/* If-Range with a date never matches: we send no Last-Modified. */
	if (q->if_range && (*blanks(q->if_range) != '"' || !tag_in(q->if_range, q->etag, false)))
		return whole;
	switch (parse(q->range, q->size, &part)) {
	case SPEC_GOOD:
		return part;
	case SPEC_UNSATISFIABLE:
		return (struct mue_range){ .status = 416 };
	case SPEC_ABSENT:
		break;
	}
	return whole;
}
