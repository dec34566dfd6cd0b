/*
 * window.h - maintenance windows: a quartz cron schedule, a duration and an offset from UTC.
 *
 * Pure.  Cron fields: second minute hour day-of-month month day-of-week [year]; each a `*`, `?`, a
 * number, a range a-b, a step x/n, or a comma list of these; months JAN-DEC, days SUN-SAT (1 = SUN
 * as quartz counts).  Quartz's L, W and # are refused.
 */
#ifndef MUE_SERVER_FLEET_WINDOW_H
#define MUE_SERVER_FLEET_WINDOW_H

#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>

struct mue_cron {
	uint64_t second, minute; /* bit n: value n is allowed */
	uint32_t hour, day, month, weekday;
	bool any_year;
	uint64_t years[4]; /* bit n: year 1970 + n */
};

struct mue_window {
	struct mue_cron cron;
	int64_t duration_ms;
	int32_t offset_s; /* of the window's clock from UTC */
};

/* MUE_EFORMAT; *ret_why (may be NULL) then names the part that is wrong.  Static storage. */
int mue_window_parse(const char *schedule, const char *duration, const char *timezone,
		     struct mue_window *ret, const char **ret_why);

/* True when `now_ms` (UTC) lies in a window; *ret_at then is when it closes, else when the next one
 * opens, -1 when none ever will.  ret_at may be NULL. */
bool mue_window_open(const struct mue_window *w, int64_t now_ms, int64_t *ret_at);

/* False when no window will be open at or after now_ms. */
bool mue_window_has_future(const struct mue_window *w, int64_t now_ms);

#endif
