/* The fleet's state machines over all orders of events, the planner, the maintenance windows. */
#include "server/fleet/action.h"
#include "server/fleet/rollout.h"
#include "server/fleet/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- actions ---- */

static const struct {
	const char *says;
	enum mue_action_state from;
	enum mue_force_type type;
	enum mue_action_event event;
	int result;
	enum mue_action_state to;
} steps[] = {
/* clang-format off */
#define A(s) MUE_ACTION_##s
#define E(e) MUE_EVENT_##e
	{ "an opened group offers the update",             A(SCHEDULED), MUE_FORCE_FORCED, E(START), 1, A(RUNNING) },
	{ "a person is asked when confirmation is wanted", A(SCHEDULED), MUE_FORCE_FORCED, E(START_CONFIRM), 1, A(WAIT_FOR_CONFIRMATION) },
	{ "a confirmed action runs",                       A(WAIT_FOR_CONFIRMATION), MUE_FORCE_SOFT, E(CONFIRM), 1, A(RUNNING) },
	{ "a denied action keeps waiting",                 A(WAIT_FOR_CONFIRMATION), MUE_FORCE_SOFT, E(DENY), 0, A(WAIT_FOR_CONFIRMATION) },
	{ "nothing is installed before the confirmation",  A(WAIT_FOR_CONFIRMATION), MUE_FORCE_SOFT, E(SUCCEED), MUE_EPERM, 0 },
	{ "a device cannot report a scheduled action",     A(SCHEDULED), MUE_FORCE_FORCED, E(SUCCEED), MUE_EPERM, 0 },
	{ "a scheduled action is cancelled at once",       A(SCHEDULED), MUE_FORCE_FORCED, E(CANCEL), 1, A(CANCELED) },
	{ "a running action is cancelled by asking",       A(RUNNING), MUE_FORCE_FORCED, E(CANCEL), 1, A(CANCELING) },
	{ "cancelling twice is refused",                   A(CANCELING), MUE_FORCE_FORCED, E(CANCEL), MUE_EPERM, 0 },
	{ "the device agrees to the cancel",               A(CANCELING), MUE_FORCE_FORCED, E(CANCEL_CONFIRM), 1, A(CANCELED) },
	{ "the device refuses the cancel and works on",    A(CANCELING), MUE_FORCE_FORCED, E(CANCEL_REFUSE), 1, A(CANCEL_REJECTED) },
	{ "after a refused cancel success still counts",   A(CANCEL_REJECTED), MUE_FORCE_FORCED, E(SUCCEED), 1, A(FINISHED) },
	{ "success overtakes the cancel",                  A(CANCELING), MUE_FORCE_FORCED, E(SUCCEED), 1, A(FINISHED) },
	{ "progress does not undo a cancel",               A(CANCELING), MUE_FORCE_FORCED, E(PROCEED), 0, A(CANCELING) },
	{ "force quit needs a cancel first",               A(RUNNING), MUE_FORCE_FORCED, E(FORCE_QUIT), MUE_EPERM, 0 },
	{ "force quit closes a cancel nobody answers",     A(CANCELING), MUE_FORCE_FORCED, E(FORCE_QUIT), 1, A(CANCELED) },
	{ "a repeated success changes nothing",            A(FINISHED), MUE_FORCE_FORCED, E(SUCCEED), 0, A(FINISHED) },
	{ "failure after success comes too late",          A(FINISHED), MUE_FORCE_FORCED, E(FAIL), MUE_ECONFLICT, 0 },
	{ "progress after the end comes too late",         A(ERROR), MUE_FORCE_FORCED, E(PROCEED), MUE_ECONFLICT, 0 },
	{ "an ended action cannot be cancelled",           A(FINISHED), MUE_FORCE_FORCED, E(CANCEL), MUE_ECONFLICT, 0 },
	{ "downloaded is a step of a forced action",       A(DOWNLOADED), MUE_FORCE_FORCED, E(PROCEED), 1, A(RUNNING) },
	{ "downloaded ends a downloadonly action",         A(DOWNLOADED), MUE_FORCE_DOWNLOADONLY, E(PROCEED), MUE_ECONFLICT, 0 },
	{ "a downloaded action may be installed later",    A(DOWNLOADED), MUE_FORCE_DOWNLOADONLY, E(SUCCEED), 1, A(FINISHED) },
	{ "downloaded twice changes nothing",              A(DOWNLOADED), MUE_FORCE_DOWNLOADONLY, E(DOWNLOADED), 0, A(DOWNLOADED) },
	{ "a device that gives up by itself is cancelled", A(RUNNING), MUE_FORCE_SOFT, E(DEVICE_CANCEL), 1, A(CANCELED) },
	{ "a newer action cancels the one before",         A(DOWNLOAD), MUE_FORCE_SOFT, E(SUPERSEDE), 1, A(CANCELING) },
	{ "a newer action drops one not yet offered",      A(SCHEDULED), MUE_FORCE_SOFT, E(SUPERSEDE), 1, A(CANCELED) },
	{ "a newer action leaves an ended one alone",      A(FINISHED), MUE_FORCE_SOFT, E(SUPERSEDE), 0, A(FINISHED) },
#undef A
#undef E
	/* clang-format on */
};

static void action_steps(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		enum mue_action_state next = steps[i].from;
		int r = mue_action_step(steps[i].from, steps[i].type, steps[i].event, &next);

		if (r != steps[i].result || (r >= 0 && next != steps[i].to))
			fail_msg("%s: got %d, %s", steps[i].says, r, mue_action_name(next));
	}
}

struct walk {
	uint64_t orders;
	enum mue_force_type type;
};

static bool is_device_event(enum mue_action_event e)
{
	return e != MUE_EVENT_START && e != MUE_EVENT_START_CONFIRM && e != MUE_EVENT_CANCEL &&
	       e != MUE_EVENT_FORCE_QUIT && e != MUE_EVENT_SUPERSEDE;
}

static void walk_actions(struct walk *w, enum mue_action_state s, int depth, bool offered,
			 int successes)
{
	for (int e = 0; e < MUE_EVENT_COUNT; e++) {
		enum mue_action_state next = s;
		int r = mue_action_step(s, w->type, (enum mue_action_event)e, &next);
		int won = successes + (r == 1 && next == MUE_ACTION_FINISHED);
		bool out = offered || e == MUE_EVENT_START || e == MUE_EVENT_START_CONFIRM;

		w->orders++;
		assert_true(r <= 1);
		if (r <= 0)
			assert_int_equal(next, s);
		else
			assert_int_not_equal(next, s);
		/* No device is updated twice: one action succeeds at most once. */
		assert_true(won <= 1);
		/* No device moves an action that was never offered to it. */
		if (!offered && is_device_event((enum mue_action_event)e))
			assert_true(r <= 0);
		/* The end is the end; only a downloaded one may still be installed or fail. */
		if (mue_action_ended(s, w->type) && r == 1)
			assert_true(s == MUE_ACTION_DOWNLOADED &&
				    (next == MUE_ACTION_FINISHED || next == MUE_ACTION_ERROR));
		assert_false(mue_action_active(next, w->type) && mue_action_ended(next, w->type));
		if (depth > 1)
			walk_actions(w, next, depth - 1, out, won);
	}
}

static void action_all_orders(void **state)
{
	struct walk w = { 0, MUE_FORCE_SOFT };

	(void)state;
	for (int t = 0; t < MUE_FORCE_COUNT; t++) {
		w.type = (enum mue_force_type)t;
		walk_actions(&w, MUE_ACTION_SCHEDULED, 5, false, 0);
	}
	print_message("# actions: %llu event orders up to depth 5\n", (unsigned long long)w.orders);
	assert_true(w.orders > 5000000);
}

/* From every state an operator alone, and a device that answers, can reach an end. */
static void action_never_stuck(void **state)
{
	(void)state;
	for (int s = 0; s < MUE_ACTION_STATE_COUNT; s++) {
		enum mue_action_state at = (enum mue_action_state)s;

		if (mue_action_ended(at, MUE_FORCE_FORCED))
			continue;
		if (mue_action_step(at, MUE_FORCE_FORCED, MUE_EVENT_CANCEL, &at) == 1 &&
		    !mue_action_ended(at, MUE_FORCE_FORCED))
			assert_int_equal(at, MUE_ACTION_CANCELING);
		if (!mue_action_ended(at, MUE_FORCE_FORCED))
			assert_int_equal(
				mue_action_step(at, MUE_FORCE_FORCED, MUE_EVENT_FORCE_QUIT, &at),
				1);
		assert_int_equal(at, MUE_ACTION_CANCELED);
	}
}

static const struct {
	const char *execution, *finished;
	bool cancel;
	int result;
	enum mue_action_event event;
} words[] = {
	{ "closed", "success", false, 0, MUE_EVENT_SUCCEED },
	{ "closed", "none", false, 0, MUE_EVENT_SUCCEED },
	{ "closed", "failure", false, 0, MUE_EVENT_FAIL },
	{ "proceeding", "none", false, 0, MUE_EVENT_PROCEED },
	{ "proceeding", "failure", false, 0, MUE_EVENT_WARN },
	{ "downloaded", "success", false, 0, MUE_EVENT_DOWNLOADED },
	{ "rejected", "none", false, 0, MUE_EVENT_WARN },
	{ "canceled", "success", false, 0, MUE_EVENT_DEVICE_CANCEL },
	{ "exploded", "none", false, MUE_EFORMAT, 0 },
	{ "closed", "maybe", false, MUE_EFORMAT, 0 },
	{ NULL, "none", false, MUE_EFORMAT, 0 },
	{ "closed", "success", true, 0, MUE_EVENT_CANCEL_CONFIRM },
	{ "canceled", "success", true, 0, MUE_EVENT_CANCEL_CONFIRM },
	{ "rejected", "none", true, 0, MUE_EVENT_CANCEL_REFUSE },
	{ "closed", "failure", true, 0, MUE_EVENT_CANCEL_REFUSE },
	{ "proceeding", "none", true, 0, MUE_EVENT_PROCEED },
};

static void feedback_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		enum mue_action_event e = MUE_EVENT_COUNT;
		int r = words[i].cancel
				? mue_action_cancel_feedback(words[i].execution, words[i].finished,
							     &e)
				: mue_action_feedback(words[i].execution, words[i].finished, &e);

		assert_int_equal(r, words[i].result);
		assert_int_equal(e, r == 0 ? words[i].event : MUE_EVENT_COUNT);
	}
	for (int s = 0; s < MUE_ACTION_STATE_COUNT; s++) {
		enum mue_action_state back;

		assert_int_equal(mue_action_parse(mue_action_name((enum mue_action_state)s), &back),
				 0);
		assert_int_equal(back, s);
	}
}

/* ---- rollouts: every reachable state of small fleets ---- */

enum { GROUPS = 3, TARGETS = 5 };
enum target_state { PLANNED, OFFERED, DONE, FAILED, DROPPED };

/* One small fleet under a rollout; the whole of it is the key of the visited set. */
struct fleet {
	uint8_t rollout, group[GROUPS], target[TARGETS];
	uint8_t resumed; /* a person let it run on after an error */
	uint8_t triggered;
};

/* Which group a target is in, and the rules under test. */
struct setting {
	uint8_t group_of[TARGETS];
	struct mue_group_rule rule[GROUPS];
};

struct search {
	const struct setting *setting;
	struct fleet *seen;
	size_t count, room;
	uint64_t transitions;
	size_t finished, stopped;
};

static void view(const struct search *x, const struct fleet *f, struct mue_group *g)
{
	memset(g, 0, sizeof(*g) * GROUPS);
	for (size_t i = 0; i < GROUPS; i++) {
		g[i].state = (enum mue_group_state)f->group[i];
		g[i].rule = x->setting->rule[i];
	}
	for (size_t t = 0; t < TARGETS; t++) {
		struct mue_group_counts *c = &g[x->setting->group_of[t]].counts;
		uint32_t *const slot[] = { &c->scheduled, &c->running, &c->finished, &c->error,
					   &c->cancelled };

		(*slot[f->target[t]])++;
	}
}

/* The gate, computed anew and in the plainest way: percentages as fractions. */
static bool gate_is_open(const struct search *x, const struct fleet *f, size_t group)
{
	unsigned total = 0, done = 0;

	for (size_t t = 0; t < TARGETS; t++)
		if (x->setting->group_of[t] == group) {
			total++;
			done += f->target[t] == DONE;
		}
	return total == 0 || (double)done / total * 100.0 >=
				     (double)x->setting->rule[group].success_percent - 1e-9;
}

static void open_group(const struct search *x, struct fleet *f, size_t group)
{
	assert_int_equal(f->group[group], MUE_GROUP_SCHEDULED);
	f->group[group] = MUE_GROUP_RUNNING;
	for (size_t t = 0; t < TARGETS; t++)
		if (x->setting->group_of[t] == group) {
			/* Nobody is updated twice, nobody is offered before the group opens. */
			assert_true(f->target[t] == PLANNED || f->target[t] == DROPPED);
			if (f->target[t] == PLANNED)
				f->target[t] = OFFERED;
		}
}

static void step_rollout(struct fleet *f, enum mue_rollout_event e)
{
	enum mue_rollout_state next;

	assert_int_equal(mue_rollout_step((enum mue_rollout_state)f->rollout, e, &next), 0);
	f->rollout = (uint8_t)next;
}

static void apply(struct search *x, struct fleet *f, struct mue_advance a)
{
	switch (a.kind) {
	case MUE_ADVANCE_OPEN:
		for (size_t i = 0; i < a.group; i++)
			assert_true(gate_is_open(x, f, i) || f->group[i] == MUE_GROUP_ERROR ||
				    f->triggered);
		open_group(x, f, a.group);
		break;
	case MUE_ADVANCE_CLOSE:
		f->group[a.group] = MUE_GROUP_FINISHED;
		break;
	case MUE_ADVANCE_TRIP:
		f->group[a.group] = MUE_GROUP_ERROR;
		step_rollout(f, x->setting->rule[a.group].error_stops ? MUE_ROLLOUT_EV_TRIP_STOP
								      : MUE_ROLLOUT_EV_TRIP_PAUSE);
		break;
	case MUE_ADVANCE_SHORT:
		assert_false(gate_is_open(x, f, a.group));
		f->group[a.group] = MUE_GROUP_ERROR;
		step_rollout(f, MUE_ROLLOUT_EV_TRIP_PAUSE);
		break;
	case MUE_ADVANCE_COMPLETE:
		for (size_t t = 0; t < TARGETS; t++) /* none skipped */
			assert_true(f->target[t] >= DONE);
		step_rollout(f, MUE_ROLLOUT_EV_COMPLETE);
		break;
	case MUE_ADVANCE_NOTHING:
		break;
	}
}

/* What the engine does after every event. */
static void settle(struct search *x, struct fleet *f)
{
	struct mue_group g[GROUPS];
	struct mue_advance a;

	for (int i = 0; i < 20; i++) {
		view(x, f, g);
		a = mue_rollout_advance((enum mue_rollout_state)f->rollout, g, GROUPS);
		if (a.kind == MUE_ADVANCE_NOTHING)
			break;
		apply(x, f, a);
		assert_true(i < 19); /* it comes to rest */
	}
	if (f->rollout == MUE_ROLLOUT_STOPPING) {
		for (size_t t = 0; t < TARGETS; t++)
			if (f->target[t] == PLANNED || f->target[t] == OFFERED)
				f->target[t] = DROPPED;
		step_rollout(f, MUE_ROLLOUT_EV_CANCELLED);
	}
	/* A running rollout has no open group above its error threshold. */
	view(x, f, g);
	for (size_t i = 0; i < GROUPS; i++)
		if (f->rollout == MUE_ROLLOUT_RUNNING && f->group[i] == MUE_GROUP_RUNNING)
			assert_false(mue_group_tripped(&g[i]));
}

static void visit(struct search *x, struct fleet f)
{
	settle(x, &f);
	x->transitions++;
	for (size_t i = 0; i < x->count; i++)
		if (memcmp(&x->seen[i], &f, sizeof(f)) == 0)
			return;
	assert_true(x->count < x->room);
	x->finished += f.rollout == MUE_ROLLOUT_FINISHED;
	x->stopped += f.rollout == MUE_ROLLOUT_STOPPED;
	x->seen[x->count++] = f;
}

static void visit_after_event(struct search *x, const struct fleet *f, enum mue_rollout_event e)
{
	struct fleet after = *f;
	enum mue_rollout_state next;

	if (mue_rollout_step((enum mue_rollout_state)f->rollout, e, &next) < 0)
		return;
	after.rollout = (uint8_t)next;
	if (e == MUE_ROLLOUT_EV_RESUME)
		after.resumed = 1;
	visit(x, after);
}

static void visit_all_after(struct search *x, struct fleet f)
{
	struct mue_group g[GROUPS];
	size_t next;

	for (size_t t = 0; t < TARGETS; t++)
		for (uint8_t outcome = DONE; outcome <= DROPPED; outcome++) {
			struct fleet after = f;

			/* A device reports; an operator may also drop one not yet offered. */
			if (f.target[t] != OFFERED &&
			    !(f.target[t] == PLANNED && outcome == DROPPED))
				continue;
			after.target[t] = outcome;
			visit(x, after);
		}
	visit_after_event(x, &f, MUE_ROLLOUT_EV_PAUSE);
	visit_after_event(x, &f, MUE_ROLLOUT_EV_RESUME);
	visit_after_event(x, &f, MUE_ROLLOUT_EV_STOP);
	view(x, &f, g);
	if (mue_rollout_next_group((enum mue_rollout_state)f.rollout, g, GROUPS, &next) == 0) {
		f.triggered = 1;
		open_group(x, &f, next);
		visit(x, f);
	}
}

static void explore(const struct setting *setting)
{
	struct search x = { .setting = setting, .room = 60000 };
	struct fleet start = { .rollout = MUE_ROLLOUT_RUNNING,
			       .group = { MUE_GROUP_SCHEDULED, MUE_GROUP_SCHEDULED,
					  MUE_GROUP_SCHEDULED } };

	x.seen = calloc(x.room, sizeof(*x.seen));
	assert_non_null(x.seen);
	visit(&x, start);
	for (size_t i = 0; i < x.count; i++)
		visit_all_after(&x, x.seen[i]);
	print_message("# rollout: %zu states, %llu transitions, %zu ends finished, %zu stopped\n",
		      x.count, (unsigned long long)x.transitions, x.finished, x.stopped);
	assert_true(x.count > 300 && x.finished > 10 && x.stopped > 10);
	free(x.seen);
}

static void rollout_all_orders(void **state)
{
	static const struct setting settings[] = {
		/* bench, one, the rest; one error in a group of two is 50 %, not above it */
		{ { 0, 1, 1, 2, 2 },
		  { { 100, 0, true, false }, { 50, 50, true, false }, { 100, 50, true, true } } },
		/* an empty group in the middle, no error condition in the first */
		{ { 0, 0, 0, 2, 2 },
		  { { 67, 0, false, false }, { 100, 0, true, false }, { 1, 0, true, false } } },
		{ { 0, 1, 1, 1, 2 },
		  { { 100, 0, true, true }, { 34, 33, true, false }, { 0, 100, true, false } } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(settings); i++)
		explore(&settings[i]);
}

static const struct {
	const char *says;
	uint32_t finished, error, running;
	uint8_t success_percent, error_percent;
	bool success, tripped;
} gates[] = {
	{ "the last device completes 100 %", 12, 0, 0, 100, 50, true, false },
	{ "11 of 12 is not 100 %", 11, 0, 1, 100, 50, false, false },
	{ "1 of 3 is below 34 %", 1, 0, 2, 34, 50, false, false },
	{ "1 of 3 is at least 33 %", 1, 0, 2, 33, 50, true, false },
	{ "half is reached by half", 6, 0, 6, 50, 50, true, false },
	{ "half the devices in error do not exceed 50 %", 0, 6, 6, 50, 50, false, false },
	{ "seven of twelve exceed 50 %", 0, 7, 5, 50, 50, false, true },
	{ "0 lets no error pass", 0, 1, 9999, 100, 0, false, true },
	{ "100 never trips", 0, 10, 0, 100, 100, false, false },
	{ "1 % of a hundred thousand is a thousand", 1000, 0, 99000, 1, 1, true, false },
	{ "999 of a hundred thousand is below 1 %", 999, 0, 99001, 1, 1, false, false },
	{ "1000 errors of 100000 do not exceed 1 %", 0, 1000, 99000, 1, 1, false, false },
	{ "1001 errors of 100000 do", 0, 1001, 98999, 1, 1, false, true },
	{ "an empty group is done", 0, 0, 0, 100, 0, true, false },
};

static void thresholds_are_exact(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(gates); i++) {
		struct mue_group g = { .rule = { gates[i].success_percent, gates[i].error_percent,
						 true, false },
				       .counts = { .finished = gates[i].finished,
						   .error = gates[i].error,
						   .running = gates[i].running } };

		if (mue_group_success(&g) != gates[i].success)
			fail_msg("success: %s", gates[i].says);
		if (mue_group_tripped(&g) != gates[i].tripped)
			fail_msg("error: %s", gates[i].says);
	}
}

static void planner_covers_everyone(void **state)
{
	static const double shares[] = { 0.1, 1, 10, 30, 33.3, 50, 99.9 };

	(void)state;
	assert_int_equal(mue_plan_take(30, 0, 10), 3);
	assert_int_equal(mue_plan_take(25, 0, 10), 3); /* 2.5 rounds up, as hawkBit rounds */
	assert_int_equal(mue_plan_take(24, 0, 10), 2);
	assert_int_equal(mue_plan_take(100, 0, 7), 7);
	assert_int_equal(mue_plan_take(100, 1, 7), 1);
	assert_int_equal(mue_plan_take(100, 9, 7), 7);
	assert_int_equal(mue_plan_take(1, 0, 12), 1); /* a canary is never empty */
	assert_int_equal(mue_plan_take(1, 0, 0), 0);
	for (uint32_t n = 0; n < 500; n++)
		for (size_t i = 0; i < COUNT(shares); i++) {
			uint32_t first = mue_plan_take(shares[i], 0, n);
			uint32_t second = mue_plan_take(shares[COUNT(shares) - 1 - i], 0,
							n - first);

			assert_true(first <= n && second <= n - first);
			assert_int_equal(first + second + mue_plan_take(100, 0, n - first - second),
					 n);
		}
	for (unsigned groups = 1; groups < 20; groups++)
		for (uint32_t n = 0; n < 200; n++) {
			uint32_t left = n, least = n, most = 0;

			for (unsigned i = 0; i < groups; i++) {
				uint32_t took = mue_plan_take(mue_plan_equal(i, groups), 0, left);

				left -= took;
				least = took < least ? took : least;
				most = took > most ? took : most;
			}
			assert_int_equal(left, 0);
			if (n >= groups)
				assert_true(most - least <= 1);
		}
}

/* ---- maintenance windows ---- */

/* 2023-08-03T14:12:10Z */
#define AUG_3 1691071930000LL

static const struct {
	const char *says, *schedule, *duration, *zone;
	int64_t now;
	bool open;
	int64_t at;
} windows[] = {
	/* clang-format off */
	{ "it opens on the second",    "10 12 14 3 8 ? 2023", "00:10:00", "+00:00", AUG_3,           true,  AUG_3 + 600000 },
	{ "not a second before",       "10 12 14 3 8 ? 2023", "00:10:00", "+00:00", AUG_3 - 1000,    false, AUG_3 },
	{ "it closes after duration",  "10 12 14 3 8 ? 2023", "00:10:00", "+00:00", AUG_3 + 600000,  false, -1 },
	{ "the last moment counts",    "10 12 14 3 8 ? 2023", "00:10:00", "+00:00", AUG_3 + 599999,  true,  AUG_3 + 600000 },
	{ "two hours east",            "10 12 16 3 8 ? 2023", "00:10:00", "+02:00", AUG_3,           true,  AUG_3 + 600000 },
	{ "every night, seen by day",  "0 0 2 * * ?",         "02:00:00", "+00:00", AUG_3,           false, 1691114400000LL },
	{ "over midnight",             "0 0 14 ? * THU",      "24:00:00", "+00:00", AUG_3,           true,  1691157600000LL },
	{ "opened yesterday",          "0 0 14 ? * WED",      "25:00:00", "+00:00", AUG_3,           true,  1691074800000LL },
	{ "the leap day comes again",  "0 0 0 29 2 ?",        "01:00:00", "+00:00", AUG_3,           false, 1709164800000LL },
	{ "every quarter of an hour",  "0 0/15 * * * ?",      "00:05:00", "+00:00", AUG_3,           false, 1691072100000LL },
	{ "weekends by range",         "0 0 0 ? * SAT-SUN",   "24:00:00", "+00:00", AUG_3,           false, 1691193600000LL },
	/* clang-format on */
};

static void windows_open_and_close(void **state)
{
	static const char *const bad[][3] = {
		{ "10 12 14 3 8", "00:10:00", "+00:00" },
		{ "61 * * * * ?", "00:10:00", "+00:00" },
		{ "0 0 0 L * ?", "00:10:00", "+00:00" },
		{ "0 0 0 * * ? 2023 9", "00:10:00", "+00:00" },
		{ "0 0/0 0 * * ?", "00:10:00", "+00:00" },
		{ "0 0 0 * * ?", "00:00:00", "+00:00" },
		{ "0 0 0 * * ?", "ten minutes", "+00:00" },
		{ "0 0 0 * * ?", "00:10:00", "Europe/Paris" },
		{ "0 0 0 * * ?", "00:10:00", NULL },
		{ NULL, "00:10:00", "+00:00" },
	};
	struct mue_window w;
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT(windows); i++) {
		int64_t at = 0;
		bool open;

		if (mue_window_parse(windows[i].schedule, windows[i].duration, windows[i].zone, &w,
				     &why) < 0)
			fail_msg("%s: refused: %s", windows[i].says, why);
		open = mue_window_open(&w, windows[i].now, &at);
		if (open != windows[i].open || at != windows[i].at)
			fail_msg("%s: got %d, %lld", windows[i].says, open, (long long)at);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		why = NULL;
		assert_int_equal(mue_window_parse(bad[i][0], bad[i][1], bad[i][2], &w, &why),
				 MUE_EFORMAT);
		assert_non_null(why);
	}
	assert_int_equal(mue_window_parse("10 12 14 3 8 ? 2023", "00:10:00", "Z", &w, NULL), 0);
	assert_false(mue_window_has_future(&w, AUG_3 + 600000));
	assert_true(mue_window_has_future(&w, AUG_3 + 599999));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(action_steps),
		cmocka_unit_test(action_all_orders),
		cmocka_unit_test(action_never_stuck),
		cmocka_unit_test(feedback_words),
		cmocka_unit_test(rollout_all_orders),
		cmocka_unit_test(thresholds_are_exact),
		cmocka_unit_test(planner_covers_everyone),
		cmocka_unit_test(windows_open_and_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
