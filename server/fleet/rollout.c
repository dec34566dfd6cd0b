#include "server/fleet/rollout.h"

#include <string.h>

static const char *const rollout_names[] = {
#define X(name, text) text,
	MUE_ROLLOUT_STATES(X)
#undef X
};

static const char *const group_names[] = {
#define X(name, text) text,
	MUE_GROUP_STATES(X)
#undef X
};

/* The whole state machine of a rollout: what is not written here is refused. */
static const struct {
	enum mue_rollout_state from;
	enum mue_rollout_event event;
	enum mue_rollout_state to;
} table[] = {
/* clang-format off */
#define T(from, event, to) { MUE_ROLLOUT_##from, MUE_ROLLOUT_EV_##event, MUE_ROLLOUT_##to },
	T(CREATING,             PLANNED,          READY)
	T(CREATING,             PLANNED_APPROVAL, WAITING_FOR_APPROVAL)
	T(CREATING,             DELETE,           DELETED)
	T(WAITING_FOR_APPROVAL, APPROVE,          READY)
	T(WAITING_FOR_APPROVAL, DENY,             APPROVAL_DENIED)
	T(WAITING_FOR_APPROVAL, DELETE,           DELETED)
	T(APPROVAL_DENIED,      APPROVE,          READY)
	T(APPROVAL_DENIED,      DELETE,           DELETED)
	T(READY,                START,            STARTING)
	T(READY,                STOP,             STOPPED)
	T(READY,                DELETE,           DELETED)
	T(STARTING,             SCHEDULED,        RUNNING)
	T(STARTING,             STOP,             STOPPING)
	T(STARTING,             DELETE,           DELETED)
	T(RUNNING,              PAUSE,            PAUSED)
	T(RUNNING,              TRIP_PAUSE,       PAUSED)
	T(RUNNING,              TRIP_STOP,        STOPPING)
	T(RUNNING,              STOP,             STOPPING)
	T(RUNNING,              COMPLETE,         FINISHED)
	T(RUNNING,              DELETE,           DELETED)
	T(PAUSED,               RESUME,           RUNNING)
	T(PAUSED,               STOP,             STOPPING)
	T(PAUSED,               DELETE,           DELETED)
	T(STOPPING,             CANCELLED,        STOPPED)
	T(STOPPING,             DELETE,           DELETED)
	T(STOPPED,              DELETE,           DELETED)
	T(FINISHED,             DELETE,           DELETED)
	T(DELETED,              DELETE,           DELETED)
#undef T
	/* clang-format on */
};

const char *mue_rollout_name(enum mue_rollout_state s)
{
	return (unsigned)s < MUE_ROLLOUT_STATE_COUNT ? rollout_names[s] : "unknown";
}

const char *mue_group_name(enum mue_group_state s)
{
	return (unsigned)s < MUE_GROUP_STATE_COUNT ? group_names[s] : "unknown";
}

int mue_rollout_parse(const char *name, enum mue_rollout_state *ret)
{
	for (int i = 0; i < MUE_ROLLOUT_STATE_COUNT; i++)
		if (strcmp(name, rollout_names[i]) == 0) {
			*ret = (enum mue_rollout_state)i;
			return 0;
		}
	return MUE_ENOTFOUND;
}

int mue_group_parse(const char *name, enum mue_group_state *ret)
{
	for (int i = 0; i < MUE_GROUP_STATE_COUNT; i++)
		if (strcmp(name, group_names[i]) == 0) {
			*ret = (enum mue_group_state)i;
			return 0;
		}
	return MUE_ENOTFOUND;
}

int mue_rollout_step(enum mue_rollout_state s, enum mue_rollout_event e,
		     enum mue_rollout_state *ret_next)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].from == s && table[i].event == e) {
			*ret_next = table[i].to;
			return 0;
		}
	return MUE_EPERM;
}

uint32_t mue_group_total(const struct mue_group_counts *c)
{
	return c->notstarted + c->scheduled + c->running + c->finished + c->error + c->cancelled;
}

bool mue_group_success(const struct mue_group *g)
{
	return (uint64_t)g->counts.finished * 100 >=
	       (uint64_t)g->rule.success_percent * mue_group_total(&g->counts);
}

bool mue_group_tripped(const struct mue_group *g)
{
	return g->rule.watches_errors &&
	       (uint64_t)g->counts.error * 100 >
		       (uint64_t)g->rule.error_percent * mue_group_total(&g->counts);
}

bool mue_group_ended(const struct mue_group *g)
{
	return g->counts.notstarted + g->counts.scheduled + g->counts.running == 0;
}

static bool waits(const struct mue_group *g)
{
	return g->state == MUE_GROUP_CREATING || g->state == MUE_GROUP_READY ||
	       g->state == MUE_GROUP_SCHEDULED;
}

static bool lets_through(const struct mue_group *g)
{
	if (g->state == MUE_GROUP_RUNNING)
		return mue_group_success(g);
	return g->state == MUE_GROUP_FINISHED || g->state == MUE_GROUP_ERROR;
}

/* What an open group asks for by itself; `gates` when a group behind it waits. */
static enum mue_advance_kind judge(const struct mue_group *g, bool gates)
{
	if (g->state != MUE_GROUP_RUNNING)
		return MUE_ADVANCE_NOTHING;
	if (mue_group_tripped(g))
		return MUE_ADVANCE_TRIP;
	if (!mue_group_ended(g))
		return MUE_ADVANCE_NOTHING;
	return gates && !mue_group_success(g) ? MUE_ADVANCE_SHORT : MUE_ADVANCE_CLOSE;
}

static bool all_over(const struct mue_group *g, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (g[i].state == MUE_GROUP_RUNNING || !mue_group_ended(&g[i]))
			return false;
	return true;
}

struct mue_advance mue_rollout_advance(enum mue_rollout_state s, const struct mue_group *g,
				       size_t n)
{
	struct mue_advance none = { MUE_ADVANCE_NOTHING, 0 };
	enum mue_advance_kind kind;
	size_t next = 0;

	if (s != MUE_ROLLOUT_RUNNING)
		return none;
	while (next < n && !waits(&g[next]))
		next++;

	/* Errors of any open group come before every good news. */
	for (size_t i = 0; i < next; i++)
		if (judge(&g[i], next < n) == MUE_ADVANCE_TRIP)
			return (struct mue_advance){ MUE_ADVANCE_TRIP, i };
	for (size_t i = 0; i < next; i++) {
		kind = judge(&g[i], next < n);
		if (kind != MUE_ADVANCE_NOTHING)
			return (struct mue_advance){ kind, i };
	}
	for (size_t i = 0; i < next; i++)
		if (!lets_through(&g[i]))
			return none;
	if (next < n && g[next].state != MUE_GROUP_SCHEDULED)
		return none;
	if (next < n)
		return (struct mue_advance){ MUE_ADVANCE_OPEN, next };
	return (struct mue_advance){ all_over(g, n) ? MUE_ADVANCE_COMPLETE : MUE_ADVANCE_NOTHING,
				     0 };
}

int mue_rollout_next_group(enum mue_rollout_state s, const struct mue_group *g, size_t n,
			   size_t *ret)
{
	if (s != MUE_ROLLOUT_RUNNING)
		return MUE_EPERM;
	for (size_t i = 0; i < n; i++)
		if (g[i].state == MUE_GROUP_SCHEDULED) {
			*ret = i;
			return 0;
		}
	return MUE_ENOTFOUND;
}

uint32_t mue_plan_take(double percentage, uint32_t max_targets, uint32_t remaining)
{
	double wanted;

	if (max_targets > 0)
		return max_targets < remaining ? max_targets : remaining;
	if (percentage >= 100.0)
		return remaining;
	if (!(percentage > 0.0))
		return 0;
	wanted = percentage / 100.0 * (double)remaining + 0.5; /* the cast below rounds down */
	if (wanted < 1.0)
		return remaining ? 1 : 0;
	return wanted >= (double)remaining ? remaining : (uint32_t)wanted;
}

double mue_plan_equal(unsigned i, unsigned n)
{
	return i + 1 >= n ? 100.0 : 100.0 / (double)(n - i);
}
