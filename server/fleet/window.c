#include "server/fleet/window.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { YEARS = 256, FIRST_YEAR = 1970, LAST_YEAR = FIRST_YEAR + YEARS - 1, DAY_S = 86400 };

/* The allowed values of a field, counted from its least. */
struct bits {
	uint64_t word[YEARS / 64];
};

static const char *const month_names[] = { "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL",
					   "AUG", "SEP", "OCT", "NOV", "DEC", NULL };
static const char *const day_names[] = { "SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", NULL };

struct field {
	const char *what;
	int min, max;
	const char *const *names; /* names[0] is min */
};

static const struct field fields[] = {
	{ "seconds", 0, 59, NULL },
	{ "minutes", 0, 59, NULL },
	{ "hours", 0, 23, NULL },
	{ "day of month", 1, 31, NULL },
	{ "month", 1, 12, month_names },
	{ "day of week", 1, 7, day_names },
	{ "year", FIRST_YEAR, LAST_YEAR, NULL },
};

/* Reads a number or a name at *p. */
static int read_value(const struct field *f, const char **p, int *ret)
{
	int v = 0, digits = 0;

	for (int i = 0; f->names && f->names[i]; i++)
		if (strncasecmp(*p, f->names[i], 3) == 0) {
			*p += 3;
			*ret = f->min + i;
			return 0;
		}
	while (isdigit((unsigned char)**p) && digits < 4) {
		v = v * 10 + (**p - '0');
		(*p)++;
		digits++;
	}
	if (digits == 0 || v < f->min || v > f->max)
		return MUE_EFORMAT;
	*ret = v;
	return 0;
}

static void allow(struct bits *bits, int n)
{
	bits->word[n / 64] |= (uint64_t)1 << (n % 64);
}

/* One element of a comma list: "*", "5", "2-8", "0/15", "2-8/2". */
static int read_item(const struct field *f, const char **p, struct bits *bits)
{
	int from = f->min, to = f->max, step = 1;
	bool single = false;

	if (**p == '*' || **p == '?') {
		(*p)++;
	} else {
		if (read_value(f, p, &from) < 0)
			return MUE_EFORMAT;
		single = **p != '-';
		if (!single) {
			(*p)++;
			if (read_value(f, p, &to) < 0)
				return MUE_EFORMAT;
		}
	}
	if (**p == '/') {
		(*p)++;
		step = 0;
		while (isdigit((unsigned char)**p) && step < 1000)
			step = step * 10 + (*(*p)++ - '0');
		single = false;
	}
	if (step < 1)
		return MUE_EFORMAT;
	if (single)
		to = from;
	/* A range may go over the end: SAT-MON. */
	for (int v = from, span = to >= from ? to - from : to - from + f->max - f->min + 1;
	     span >= 0; span -= step, v += step)
		allow(bits, (v > f->max ? v - (f->max - f->min + 1) : v) - f->min);
	return 0;
}

static int read_field(const struct field *f, const char **p, struct bits *bits)
{
	memset(bits, 0, sizeof(*bits));
	for (;;) {
		if (read_item(f, p, bits) < 0)
			return MUE_EFORMAT;
		if (**p != ',')
			break;
		(*p)++;
	}
	if (**p && !isspace((unsigned char)**p))
		return MUE_EFORMAT;
	while (isspace((unsigned char)**p))
		(*p)++;
	return 0;
}

static int parse_cron(const char *text, struct mue_cron *ret, const char **why)
{
	struct bits bits[7];
	int n = 0;

	while (isspace((unsigned char)*text))
		text++;
	for (; n < 7 && *text; n++)
		if (read_field(&fields[n], &text, &bits[n]) < 0) {
			*why = fields[n].what;
			return MUE_EFORMAT;
		}
	if (n < 6 || *text) {
		*why = "number of schedule fields";
		return MUE_EFORMAT;
	}
	ret->second = bits[0].word[0];
	ret->minute = bits[1].word[0];
	ret->hour = (uint32_t)bits[2].word[0];
	ret->day = (uint32_t)bits[3].word[0];
	ret->month = (uint32_t)bits[4].word[0];
	ret->weekday = (uint32_t)bits[5].word[0];
	ret->any_year = n == 6;
	memset(ret->years, 0, sizeof(ret->years));
	if (n == 7)
		memcpy(ret->years, bits[6].word, sizeof(ret->years));
	return 0;
}

/* "H:M:S" or "H:M" as seconds. */
static int parse_clock(const char *p, int max_hours, int64_t *ret)
{
	long part[3] = { 0, 0, 0 };
	int n = 0;

	for (; n < 3; n++) {
		int digits = 0;

		for (; isdigit((unsigned char)*p) && digits < 4; p++, digits++)
			part[n] = part[n] * 10 + (*p - '0');
		if (digits == 0)
			return MUE_EFORMAT;
		if (*p != ':')
			break;
		p++;
	}
	if (*p || n < 1 || part[0] > max_hours || part[1] > 59 || part[2] > 59)
		return MUE_EFORMAT;
	*ret = (int64_t)part[0] * 3600 + part[1] * 60 + part[2];
	return 0;
}

static int parse_zone(const char *p, int32_t *ret)
{
	int64_t s;

	if (strcmp(p, "Z") == 0) {
		*ret = 0;
		return 0;
	}
	if (*p != '+' && *p != '-')
		return MUE_EFORMAT;
	if (parse_clock(p + 1, 18, &s) < 0)
		return MUE_EFORMAT;
	*ret = (int32_t)(*p == '-' ? -s : s);
	return 0;
}

int mue_window_parse(const char *schedule, const char *duration, const char *timezone,
		     struct mue_window *ret, const char **ret_why)
{
	struct mue_window w = { 0 };
	const char *unused = NULL, **why = ret_why ? ret_why : &unused;
	int64_t s;

	if (!schedule || parse_cron(schedule, &w.cron, why) < 0) {
		if (!schedule)
			*why = "schedule";
		return MUE_EFORMAT;
	}
	*why = "duration";
	if (!duration || parse_clock(duration, 999, &s) < 0 || s == 0)
		return MUE_EFORMAT;
	w.duration_ms = s * 1000;
	*why = "timezone";
	if (!timezone || parse_zone(timezone, &w.offset_s) < 0)
		return MUE_EFORMAT;
	*ret = w;
	return 0;
}

/* Civil date of a day number since 1970-01-01 (proleptic Gregorian; the year begins in March so
 * that the leap day comes last). */
static void civil(int64_t days, int *year, int *month, int *day)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int)(yoe + era * 400 + (*month <= 2));
}

static bool day_allowed(const struct mue_cron *c, int64_t days)
{
	int year, month, day, weekday = (int)((days + 4) % 7); /* 1970-01-01 was a Thursday */

	civil(days, &year, &month, &day);
	if (!(c->month >> (month - 1) & 1) || !(c->day >> (day - 1) & 1) ||
	    !(c->weekday >> weekday & 1))
		return false;
	if (c->any_year)
		return true;
	year -= FIRST_YEAR;
	return year >= 0 && year < YEARS && (c->years[year / 64] >> (year % 64) & 1);
}

/* First allowed second of the day at or after `from`; -1 when there is none. */
static int64_t first_in_day(const struct mue_cron *c, int64_t from)
{
	int64_t h = from / 3600, m = from / 60 % 60, s = from % 60;

	for (; h < 24; h++, m = 0, s = 0) {
		if (!(c->hour >> h & 1))
			continue;
		for (; m < 60; m++, s = 0) {
			if (!(c->minute >> m & 1))
				continue;
			for (; s < 60; s++)
				if (c->second >> s & 1)
					return h * 3600 + m * 60 + s;
		}
	}
	return -1;
}

/* First start at or after `local_s` (the window's own clock); -1: never. */
static int64_t next_start(const struct mue_cron *c, int64_t local_s)
{
	/* A day that matches comes within 8 years (29 February over 1900-like years), except for
	 * year lists, which end with YEARS. */
	int64_t day = local_s / DAY_S, last = c->any_year ? day + 366 * 9 : 366 * (int64_t)YEARS;

	for (int64_t d = day; d <= last; d++) {
		int64_t s;

		if (!day_allowed(c, d))
			continue;
		s = first_in_day(c, d == day ? local_s % DAY_S : 0);
		if (s >= 0)
			return d * DAY_S + s;
	}
	return -1;
}

bool mue_window_open(const struct mue_window *w, int64_t now_ms, int64_t *ret_at)
{
	int64_t shift = (int64_t)w->offset_s * 1000, local = now_ms + shift, start, from;
	int64_t unused;

	if (!ret_at)
		ret_at = &unused;
	/* The earliest start that can still be open: after (now - duration). */
	from = (local - w->duration_ms) / 1000 + 1;
	start = next_start(&w->cron, from > 0 ? from : 0);
	if (start < 0) {
		*ret_at = -1;
		return false;
	}
	if (start * 1000 <= local) {
		*ret_at = start * 1000 + w->duration_ms - shift;
		return true;
	}
	*ret_at = start * 1000 - shift;
	return false;
}

bool mue_window_has_future(const struct mue_window *w, int64_t now_ms)
{
	int64_t at;

	return mue_window_open(w, now_ms, &at) || at >= 0;
}
