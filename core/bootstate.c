#include "core/bootstate.h"

#include "core/err.h"
#include "core/mem.h"
#include "core/size.h"

static bool is_slot(uint8_t slot)
{
	return slot == MUE_SLOT_A || slot == MUE_SLOT_B;
}

static bool was_tried(uint8_t tried, uint8_t slot)
{
	return tried >> slot & 1;
}

static void note(struct mue_bootstate *s, enum mue_boot_reason reason, int verdict)
{
	s->reason = (uint8_t)reason;
	s->verdict = (int8_t)verdict;
}

MUE_NOINLINE static void end_trial(struct mue_bootstate *s)
{
	s->trial = MUE_SLOT_NONE;
	s->tries = 0;
	s->begun = 0;
	s->trial_counter = 0;
}

void mue_bootstate_init(struct mue_bootstate *s, uint8_t active)
{
	memset(s, 0, sizeof(*s));
	s->active = active;
	s->trial = MUE_SLOT_NONE;
	s->reason = MUE_BOOT_FRESH;
}

/* Why the active slot runs: what went wrong stays visible until the next update begins. */
static uint8_t settled_reason(const struct mue_bootstate *s)
{
	switch (s->reason) {
	case MUE_BOOT_EXHAUSTED:
	case MUE_BOOT_REVERTED:
	case MUE_BOOT_REFUSED:
		return s->reason;
	default:
		return s->image[s->active] == MUE_IMAGE_GOOD ? MUE_BOOT_CONFIRMED : MUE_BOOT_FRESH;
	}
}

static void choose(struct mue_boot_choice *ret, uint8_t slot, uint8_t reason)
{
	ret->slot = slot;
	ret->reason = reason;
}

/* The slot that will run becomes the active one, so that no update overwrites it. */
static void fall_back(struct mue_bootstate *s, uint8_t slot, uint8_t reason,
		      struct mue_boot_choice *ret)
{
	if (s->active != slot) {
		s->active = slot;
		ret->store = true;
	}
	choose(ret, slot, reason);
}

/* No trial is due: the order of DESIGN's "never brick". */
static void settle(struct mue_bootstate *s, uint8_t policy, uint8_t tried,
		   struct mue_boot_choice *ret)
{
	uint8_t active = s->active, other = active ^ 1;

	if (!was_tried(tried, active) && s->image[active] != MUE_IMAGE_BAD)
		choose(ret, active, settled_reason(s));
	else if (!was_tried(tried, other) && s->image[other] != MUE_IMAGE_BAD && other != s->trial)
		fall_back(s, other, MUE_BOOT_REFUSED, ret);
	else if (policy & MUE_BOOT_HAS_FACTORY && !was_tried(tried, MUE_SLOT_FACTORY))
		choose(ret, MUE_SLOT_FACTORY, MUE_BOOT_FACTORY);
	else if (!was_tried(tried, active))
		choose(ret, active, MUE_BOOT_LAST_RESORT);
	else if (!was_tried(tried, other) && other != s->trial)
		fall_back(s, other, MUE_BOOT_LAST_RESORT, ret);
	else if (!was_tried(tried, other)) /* a trial nobody can count, but nothing else is left */
		choose(ret, other, MUE_BOOT_LAST_RESORT);
	else
		choose(ret, MUE_SLOT_RECOVERY, MUE_BOOT_RECOVERY);
}

void mue_bootstate_step(struct mue_bootstate *s, uint8_t policy, uint8_t tried,
			struct mue_boot_choice *ret)
{
	bool can_store = !(tried & MUE_BOOT_NO_STORE);

	ret->store = false;
	if (s->trial != MUE_SLOT_NONE && can_store) {
		if (s->tries && !was_tried(tried, s->trial)) {
			s->tries--;
			s->begun = 1;
			ret->store = true;
			choose(ret, s->trial, MUE_BOOT_TRIAL);
			return;
		}
		if (!s->tries) {
			s->image[s->trial] = MUE_IMAGE_BAD;
			end_trial(s);
			note(s, MUE_BOOT_EXHAUSTED, MUE_EREVERTED);
			ret->store = true;
		}
	}
	settle(s, policy, tried, ret);
	ret->store = ret->store && can_store;
}

static bool exhausted(const struct mue_bootstate *s)
{
	return s->sequence >= MUE_BOOTSTATE_LAST || s->counter >= MUE_BOOTSTATE_LAST;
}

static bool may_replace(const struct mue_bootstate *s, uint8_t policy, uint8_t slot)
{
	return slot != s->active && !(policy & MUE_BOOT_GOLDEN && slot == MUE_SLOT_A);
}

int mue_bootstate_begin_write(struct mue_bootstate *s, uint8_t policy, uint8_t slot)
{
	if (!is_slot(slot))
		return MUE_EINVAL;
	if (!may_replace(s, policy, slot))
		return MUE_EPERM;
	if (s->image[slot] == MUE_IMAGE_GOOD && s->image[s->active] == MUE_IMAGE_BAD)
		return MUE_EPERM;
	if (s->begun)
		return MUE_EBUSY;
	if (exhausted(s))
		return MUE_EEXHAUSTED;
	end_trial(s);
	s->image[slot] = MUE_IMAGE_UNKNOWN;
	note(s, MUE_BOOT_WRITING, 0);
	return MUE_OK;
}

int mue_bootstate_request_trial(struct mue_bootstate *s, uint8_t policy, uint8_t slot,
				uint8_t tries, uint32_t counter)
{
	if (!is_slot(slot) || !tries)
		return MUE_EINVAL;
	if (!may_replace(s, policy, slot))
		return MUE_EPERM;
	if (s->begun)
		return MUE_EBUSY;
	if (counter < s->counter)
		return MUE_ECOUNTER;
	if (exhausted(s) || counter > MUE_BOOTSTATE_LAST)
		return MUE_EEXHAUSTED;
	s->trial = slot;
	s->tries = tries;
	s->trial_counter = counter;
	s->image[slot] = MUE_IMAGE_UNKNOWN;
	note(s, MUE_BOOT_TRIAL, 0);
	return MUE_OK;
}

int mue_bootstate_confirm(struct mue_bootstate *s, uint8_t running, bool *ret_changed)
{
	bool changed = true;

	if (!is_slot(running))
		return MUE_EPERM;
	if (running == s->trial && s->begun) {
		s->active = running;
		if (s->trial_counter > s->counter)
			s->counter = s->trial_counter;
		end_trial(s);
	} else if (running != s->active) {
		return MUE_EPERM;
	} else if (s->trial != MUE_SLOT_NONE) {
		return MUE_EBUSY;
	} else {
		changed = s->image[running] != MUE_IMAGE_GOOD;
	}
	if (changed) {
		s->image[running] = MUE_IMAGE_GOOD;
		note(s, MUE_BOOT_CONFIRMED, 0);
	}
	if (ret_changed)
		*ret_changed = changed;
	return MUE_OK;
}

int mue_bootstate_revert(struct mue_bootstate *s, int verdict)
{
	uint8_t other = s->active ^ 1;

	if (s->trial != MUE_SLOT_NONE) {
		if (s->begun)
			s->image[s->trial] = MUE_IMAGE_BAD;
		end_trial(s);
	} else if (s->image[other] == MUE_IMAGE_GOOD) {
		s->active = other;
	} else {
		return MUE_ENOTFOUND;
	}
	note(s, MUE_BOOT_REVERTED, verdict);
	return MUE_OK;
}

bool mue_bootstate_mark_bad(struct mue_bootstate *s, uint8_t slot, int verdict)
{
	if (!is_slot(slot))
		return false;
	if (slot == s->trial)
		end_trial(s);
	else if (s->image[slot] == MUE_IMAGE_BAD)
		return false;
	s->image[slot] = MUE_IMAGE_BAD;
	note(s, MUE_BOOT_REFUSED, verdict);
	return true;
}

bool mue_bootstate_confirmed(const struct mue_bootstate *s)
{
	return s->trial == MUE_SLOT_NONE && s->image[s->active] == MUE_IMAGE_GOOD;
}
