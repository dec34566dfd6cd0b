#include "server/fleet/action.h"

#include <string.h>
#include <strings.h>

static const char *const state_names[] = {
#define X(name, text) text,
	MUE_ACTION_STATES(X)
#undef X
};

static const char *const force_names[] = {
#define X(name, text) text,
	MUE_FORCE_TYPES(X)
#undef X
};

/* What a cell says besides "go to state n". */
enum cell { STAY = -1, GONE = -2, NEVER = -3 };

/* A downloadonly action that is downloaded has ended, but may still be installed later. */
#define FETCHED MUE_ACTION_STATE_COUNT

#define TO(state) MUE_ACTION_##state

/* clang-format off */
#define AT_WORK(retrieved) { \
	[MUE_EVENT_START] = STAY,           [MUE_EVENT_START_CONFIRM] = NEVER, \
	[MUE_EVENT_CONFIRM] = STAY,         [MUE_EVENT_DENY] = NEVER, \
	[MUE_EVENT_RETRIEVE] = (retrieved), [MUE_EVENT_PROCEED] = TO(RUNNING), \
	[MUE_EVENT_DOWNLOAD] = TO(DOWNLOAD),[MUE_EVENT_DOWNLOADED] = TO(DOWNLOADED), \
	[MUE_EVENT_WARN] = TO(WARNING),     [MUE_EVENT_SUCCEED] = TO(FINISHED), \
	[MUE_EVENT_FAIL] = TO(ERROR),       [MUE_EVENT_DEVICE_CANCEL] = TO(CANCELED), \
	[MUE_EVENT_CANCEL] = TO(CANCELING), [MUE_EVENT_CANCEL_CONFIRM] = NEVER, \
	[MUE_EVENT_CANCEL_REFUSE] = STAY,   [MUE_EVENT_FORCE_QUIT] = NEVER, \
	[MUE_EVENT_SUPERSEDE] = TO(CANCELING) }

/* Ended: only a repeat of what ended it is welcome, everything else comes too late. */
#define ENDED(succeed, fail, device_cancel, cancel_confirm) { \
	[MUE_EVENT_START] = GONE,           [MUE_EVENT_START_CONFIRM] = GONE, \
	[MUE_EVENT_CONFIRM] = GONE,         [MUE_EVENT_DENY] = GONE, \
	[MUE_EVENT_RETRIEVE] = GONE,        [MUE_EVENT_PROCEED] = GONE, \
	[MUE_EVENT_DOWNLOAD] = GONE,        [MUE_EVENT_DOWNLOADED] = GONE, \
	[MUE_EVENT_WARN] = GONE,            [MUE_EVENT_SUCCEED] = (succeed), \
	[MUE_EVENT_FAIL] = (fail),          [MUE_EVENT_DEVICE_CANCEL] = (device_cancel), \
	[MUE_EVENT_CANCEL] = GONE,          [MUE_EVENT_CANCEL_CONFIRM] = (cancel_confirm), \
	[MUE_EVENT_CANCEL_REFUSE] = GONE,   [MUE_EVENT_FORCE_QUIT] = GONE, \
	[MUE_EVENT_SUPERSEDE] = STAY }

/* The whole state machine. */
static const signed char table[MUE_ACTION_STATE_COUNT + 1][MUE_EVENT_COUNT] = {
	[MUE_ACTION_SCHEDULED] = {
		[MUE_EVENT_START] = TO(RUNNING),
		[MUE_EVENT_START_CONFIRM] = TO(WAIT_FOR_CONFIRMATION),
		[MUE_EVENT_CONFIRM] = NEVER,        [MUE_EVENT_DENY] = NEVER,
		[MUE_EVENT_RETRIEVE] = NEVER,       [MUE_EVENT_PROCEED] = NEVER,
		[MUE_EVENT_DOWNLOAD] = NEVER,       [MUE_EVENT_DOWNLOADED] = NEVER,
		[MUE_EVENT_WARN] = NEVER,           [MUE_EVENT_SUCCEED] = NEVER,
		[MUE_EVENT_FAIL] = NEVER,           [MUE_EVENT_DEVICE_CANCEL] = NEVER,
		[MUE_EVENT_CANCEL] = TO(CANCELED),  [MUE_EVENT_CANCEL_CONFIRM] = NEVER,
		[MUE_EVENT_CANCEL_REFUSE] = NEVER,  [MUE_EVENT_FORCE_QUIT] = NEVER,
		[MUE_EVENT_SUPERSEDE] = TO(CANCELED),
	},
	[MUE_ACTION_WAIT_FOR_CONFIRMATION] = {
		[MUE_EVENT_START] = STAY,           [MUE_EVENT_START_CONFIRM] = STAY,
		[MUE_EVENT_CONFIRM] = TO(RUNNING),  [MUE_EVENT_DENY] = STAY,
		[MUE_EVENT_RETRIEVE] = STAY,        [MUE_EVENT_PROCEED] = NEVER,
		[MUE_EVENT_DOWNLOAD] = NEVER,       [MUE_EVENT_DOWNLOADED] = NEVER,
		[MUE_EVENT_WARN] = NEVER,           [MUE_EVENT_SUCCEED] = NEVER,
		[MUE_EVENT_FAIL] = NEVER,           [MUE_EVENT_DEVICE_CANCEL] = TO(CANCELED),
		[MUE_EVENT_CANCEL] = TO(CANCELING), [MUE_EVENT_CANCEL_CONFIRM] = NEVER,
		[MUE_EVENT_CANCEL_REFUSE] = NEVER,  [MUE_EVENT_FORCE_QUIT] = NEVER,
		[MUE_EVENT_SUPERSEDE] = TO(CANCELING),
	},
	[MUE_ACTION_RUNNING]         = AT_WORK(TO(RETRIEVED)),
	[MUE_ACTION_RETRIEVED]       = AT_WORK(STAY),
	[MUE_ACTION_DOWNLOAD]        = AT_WORK(STAY),
	[MUE_ACTION_DOWNLOADED]      = AT_WORK(STAY),
	[MUE_ACTION_WARNING]         = AT_WORK(STAY),
	[MUE_ACTION_CANCEL_REJECTED] = AT_WORK(STAY),
	[MUE_ACTION_CANCELING] = {
		[MUE_EVENT_START] = STAY,           [MUE_EVENT_START_CONFIRM] = STAY,
		[MUE_EVENT_CONFIRM] = STAY,         [MUE_EVENT_DENY] = STAY,
		[MUE_EVENT_RETRIEVE] = STAY,        [MUE_EVENT_PROCEED] = STAY,
		[MUE_EVENT_DOWNLOAD] = STAY,        [MUE_EVENT_DOWNLOADED] = STAY,
		[MUE_EVENT_WARN] = STAY,            [MUE_EVENT_SUCCEED] = TO(FINISHED),
		[MUE_EVENT_FAIL] = TO(ERROR),       [MUE_EVENT_DEVICE_CANCEL] = TO(CANCELED),
		[MUE_EVENT_CANCEL] = NEVER,         [MUE_EVENT_CANCEL_CONFIRM] = TO(CANCELED),
		[MUE_EVENT_CANCEL_REFUSE] = TO(CANCEL_REJECTED),
		[MUE_EVENT_FORCE_QUIT] = TO(CANCELED),
		[MUE_EVENT_SUPERSEDE] = STAY,
	},
	[MUE_ACTION_CANCELED] = ENDED(GONE, GONE, STAY, STAY),
	[MUE_ACTION_FINISHED] = ENDED(STAY, GONE, GONE, GONE),
	[MUE_ACTION_ERROR]    = ENDED(GONE, STAY, GONE, GONE),
	[FETCHED]             = ENDED(TO(FINISHED), TO(ERROR), GONE, GONE),
};
/* clang-format on */

const char *mue_action_name(enum mue_action_state s)
{
	return (unsigned)s < MUE_ACTION_STATE_COUNT ? state_names[s] : "unknown";
}

const char *mue_force_name(enum mue_force_type t)
{
	return (unsigned)t < MUE_FORCE_COUNT ? force_names[t] : "unknown";
}

int mue_action_parse(const char *name, enum mue_action_state *ret)
{
	for (int i = 0; i < MUE_ACTION_STATE_COUNT; i++)
		if (strcmp(name, state_names[i]) == 0) {
			*ret = (enum mue_action_state)i;
			return 0;
		}
	return MUE_ENOTFOUND;
}

int mue_force_parse(const char *name, enum mue_force_type *ret)
{
	for (int i = 0; i < MUE_FORCE_COUNT; i++)
		if (strcmp(name, force_names[i]) == 0) {
			*ret = (enum mue_force_type)i;
			return 0;
		}
	return MUE_ENOTFOUND;
}

static bool fetched(enum mue_action_state s, enum mue_force_type t)
{
	return s == MUE_ACTION_DOWNLOADED && t == MUE_FORCE_DOWNLOADONLY;
}

bool mue_action_ended(enum mue_action_state s, enum mue_force_type t)
{
	return s == MUE_ACTION_FINISHED || s == MUE_ACTION_ERROR || s == MUE_ACTION_CANCELED ||
	       fetched(s, t);
}

bool mue_action_active(enum mue_action_state s, enum mue_force_type t)
{
	return s != MUE_ACTION_SCHEDULED && !mue_action_ended(s, t);
}

int mue_action_step(enum mue_action_state s, enum mue_force_type t, enum mue_action_event e,
		    enum mue_action_state *ret_next)
{
	int cell;

	if ((unsigned)s >= MUE_ACTION_STATE_COUNT || (unsigned)e >= MUE_EVENT_COUNT)
		return MUE_EINVAL;
	if (fetched(s, t) && e == MUE_EVENT_DOWNLOADED)
		return 0;
	cell = table[fetched(s, t) ? FETCHED : (int)s][e];
	if (cell == GONE)
		return MUE_ECONFLICT;
	if (cell == NEVER)
		return MUE_EPERM;
	if (cell == STAY || cell == (int)s)
		return 0;
	*ret_next = (enum mue_action_state)cell;
	return 1;
}

/* `failed` is the event when result.finished says "failure". */
struct word {
	const char *execution;
	enum mue_action_event event, failed;
};

static const struct word deployment_words[] = {
	{ "closed", MUE_EVENT_SUCCEED, MUE_EVENT_FAIL },
	{ "proceeding", MUE_EVENT_PROCEED, MUE_EVENT_WARN },
	{ "scheduled", MUE_EVENT_PROCEED, MUE_EVENT_WARN },
	{ "resumed", MUE_EVENT_PROCEED, MUE_EVENT_WARN },
	{ "download", MUE_EVENT_DOWNLOAD, MUE_EVENT_WARN },
	{ "downloaded", MUE_EVENT_DOWNLOADED, MUE_EVENT_WARN },
	{ "rejected", MUE_EVENT_WARN, MUE_EVENT_WARN },
	{ "canceled", MUE_EVENT_DEVICE_CANCEL, MUE_EVENT_DEVICE_CANCEL },
	{ NULL, MUE_EVENT_PROCEED, MUE_EVENT_PROCEED },
};

static const struct word cancel_words[] = {
	{ "closed", MUE_EVENT_CANCEL_CONFIRM, MUE_EVENT_CANCEL_REFUSE },
	{ "canceled", MUE_EVENT_CANCEL_CONFIRM, MUE_EVENT_CANCEL_REFUSE },
	{ "rejected", MUE_EVENT_CANCEL_REFUSE, MUE_EVENT_CANCEL_REFUSE },
	{ "proceeding", MUE_EVENT_PROCEED, MUE_EVENT_PROCEED },
	{ "scheduled", MUE_EVENT_PROCEED, MUE_EVENT_PROCEED },
	{ "resumed", MUE_EVENT_PROCEED, MUE_EVENT_PROCEED },
	{ "download", MUE_EVENT_PROCEED, MUE_EVENT_PROCEED },
	{ "downloaded", MUE_EVENT_PROCEED, MUE_EVENT_PROCEED },
	{ NULL, MUE_EVENT_PROCEED, MUE_EVENT_PROCEED },
};

static int look_up(const struct word *words, const char *execution, const char *finished,
		   enum mue_action_event *ret)
{
	bool failed;

	if (!execution || !finished)
		return MUE_EFORMAT;
	failed = strcasecmp(finished, "failure") == 0;
	if (!failed && strcasecmp(finished, "success") != 0 && strcasecmp(finished, "none") != 0)
		return MUE_EFORMAT;
	for (; words->execution; words++)
		if (strcasecmp(words->execution, execution) == 0) {
			*ret = failed ? words->failed : words->event;
			return 0;
		}
	return MUE_EFORMAT;
}

int mue_action_feedback(const char *execution, const char *finished, enum mue_action_event *ret)
{
	return look_up(deployment_words, execution, finished, ret);
}

int mue_action_cancel_feedback(const char *execution, const char *finished,
			       enum mue_action_event *ret)
{
	return look_up(cancel_words, execution, finished, ret);
}
