#include "agent/bootctl/bootctl.h"

#include "core/bootstate.h"
#include "host/flash_file.h"

#include <stdio.h>
#include <string.h>

/* What a change does to the loaded state. */
typedef int (*change_fn)(struct mue_bootstate *s, const void *arg);

static int load(const struct mue_flash_file *ff, struct mue_bootstate *ret)
{
	int r = mue_bootstate_load(&ff->flash, ret);

	if (r != MUE_ENODATA)
		return r;
	mue_bootstate_init(ret, MUE_SLOT_A);
	return 0;
}

/* Load, change, store, under the lock that the loader takes too. */
static int update(struct mue_bootctl *b, const char *what, change_fn change, const void *arg,
		  struct mue_error *e)
{
	struct mue_bootstate s;
	struct mue_flash_file ff;
	int r = mue_flash_file_open(&ff, b->path, e);

	if (r < 0)
		return r;
	r = mue_flash_file_lock(&ff, e);
	if (r < 0)
		goto out;
	r = load(&ff, &s);
	if (r == 0 && change)
		r = change(&s, arg);
	if (r == 0)
		r = mue_bootstate_store(&ff.flash, &s);
	if (r < 0)
		mue_fail(e, r, "boot state %s: %s: %s", b->path, what, mue_err_text(r));
	mue_flash_file_unlock(&ff);
out:
	mue_flash_file_close(&ff);
	return r;
}

static int state_view(struct mue_bootctl *b, struct mue_boot_view *ret, struct mue_error *e)
{
	struct mue_bootstate s;
	struct mue_flash_file ff;
	int r = mue_flash_file_open(&ff, b->path, e);

	if (r < 0)
		return r;
	r = load(&ff, &s);
	mue_flash_file_close(&ff);
	if (r < 0)
		return mue_fail(e, r, "boot state %s: %s", b->path, mue_err_text(r));
	ret->active = s.active;
	ret->trial = s.trial;
	ret->begun = s.begun;
	ret->tries = s.tries;
	ret->counter = s.counter;
	ret->reason = s.reason;
	ret->verdict = s.verdict;
	return 0;
}

static int do_begin_write(struct mue_bootstate *s, const void *arg)
{
	return mue_bootstate_begin_write(s, 0, *(const uint8_t *)arg);
}

static int state_begin_write(struct mue_bootctl *b, uint8_t slot, struct mue_error *e)
{
	return update(b, "writing the inactive slot", do_begin_write, &slot, e);
}

struct trial {
	uint8_t slot, tries;
	uint32_t counter;
};

static int do_request(struct mue_bootstate *s, const void *arg)
{
	const struct trial *t = arg;

	return mue_bootstate_request_trial(s, 0, t->slot, t->tries, t->counter);
}

static int state_request_trial(struct mue_bootctl *b, uint8_t slot, uint8_t tries, uint32_t counter,
			       struct mue_error *e)
{
	struct trial t = { slot, tries, counter };

	return update(b, "asking for a trial boot", do_request, &t, e);
}

static int do_drop(struct mue_bootstate *s, const void *arg)
{
	(void)arg;
	if (s->trial == MUE_SLOT_NONE)
		return 0;
	return s->begun ? MUE_EREBOOT : mue_bootstate_revert(s, MUE_ECANCELLED);
}

static int state_drop_trial(struct mue_bootctl *b, struct mue_error *e)
{
	return update(b, "giving up the trial", do_drop, NULL, e);
}

static int do_confirm(struct mue_bootstate *s, const void *arg)
{
	return mue_bootstate_confirm(s, *(const uint8_t *)arg, NULL);
}

static int state_confirm(struct mue_bootctl *b, uint8_t running, struct mue_error *e)
{
	return update(b, "confirming", do_confirm, &running, e);
}

static int do_revert(struct mue_bootstate *s, const void *arg)
{
	return mue_bootstate_revert(s, *(const int *)arg);
}

static int state_revert(struct mue_bootctl *b, int verdict, struct mue_error *e)
{
	return update(b, "reverting", do_revert, &verdict, e);
}

static const struct mue_bootctl_ops state_ops = {
	.name = "bootstate",
	.view = state_view,
	.begin_write = state_begin_write,
	.request_trial = state_request_trial,
	.drop_trial = state_drop_trial,
	.confirm = state_confirm,
	.revert = state_revert,
};

/* A new boot loader: its file with its ops, one line here, its name below. */
static const struct {
	const char *name;
	const struct mue_bootctl_ops *ops;
	bool exits;
} members[] = {
	{ "sim", &state_ops, true },
	{ "file", &state_ops, false },
};

const char *const mue_bootctl_names[] = { "sim", "file", NULL };

int mue_bootctl_init(struct mue_bootctl *b, const char *spec, struct mue_error *e)
{
	const char *colon = strchr(spec, ':');
	size_t n = colon ? (size_t)(colon - spec) : 0;

	memset(b, 0, sizeof(*b));
	for (size_t i = 0; colon && i < sizeof(members) / sizeof(members[0]); i++) {
		if (strlen(members[i].name) != n || memcmp(members[i].name, spec, n) != 0)
			continue;
		b->ops = members[i].ops;
		b->exits = members[i].exits;
		snprintf(b->path, sizeof(b->path), "%s", colon + 1);
		return 0;
	}
	return mue_fail(e, MUE_EINVAL, "bootctl: %s: not known; remedy: sim:FILE or file:FILE",
			spec);
}
