/* The pure half of core/bootstate.h: every transition, as a table of sentences. */
#include "core/bootstate.h"
#include "core/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define A       MUE_SLOT_A
#define B       MUE_SLOT_B
#define NONE    MUE_SLOT_NONE
#define UNK     MUE_IMAGE_UNKNOWN
#define GOOD    MUE_IMAGE_GOOD
#define BAD     MUE_IMAGE_BAD
#define FACT    MUE_BOOT_HAS_FACTORY
#define GOLD    MUE_BOOT_GOLDEN
#define TRIED_A 1
#define TRIED_B 2
#define TRIED_F 4

/* Fields of a state that rows care about. */
struct brief {
	uint8_t active, trial, tries, begun, a, b;
};

static struct mue_bootstate of(struct brief b)
{
	struct mue_bootstate s;

	mue_bootstate_init(&s, b.active);
	s.trial = b.trial;
	s.tries = b.tries;
	s.begun = b.begun;
	s.image[0] = b.a;
	s.image[1] = b.b;
	s.reason = MUE_BOOT_CONFIRMED;
	s.counter = 5;
	s.trial_counter = b.trial == NONE ? 0 : 7;
	s.sequence = 1;
	return s;
}

static void same(const char *says, const char *what, long got, long want)
{
	if (got != want)
		fail_msg("%s: %s is %ld, not %ld", says, what, got, want);
}

static void same_state(const char *says, const struct mue_bootstate *s, struct brief b)
{
	same(says, "active", s->active, b.active);
	same(says, "trial", s->trial, b.trial);
	same(says, "tries", s->tries, b.tries);
	same(says, "begun", s->begun, b.begun);
	same(says, "image A", s->image[0], b.a);
	same(says, "image B", s->image[1], b.b);
}

/* clang-format off */
static const struct {
	const char *says;
	struct brief before;
	uint8_t policy, tried;
	uint8_t slot, reason;
	bool store;
	struct brief after;
} steps[] = {
	{ "a confirmed image just boots",
	  { A, NONE, 0, 0, GOOD, UNK }, 0, 0, A, MUE_BOOT_CONFIRMED, false, { A, NONE, 0, 0, GOOD, UNK } },
	{ "a device fresh from the factory boots its active slot and says fresh",
	  { B, NONE, 0, 0, UNK, UNK }, 0, 0, B, MUE_BOOT_FRESH, false, { B, NONE, 0, 0, UNK, UNK } },
	{ "a trial boots and its try is counted before",
	  { A, B, 2, 0, GOOD, UNK }, 0, 0, B, MUE_BOOT_TRIAL, true, { A, B, 1, 1, GOOD, UNK } },
	{ "the last try still boots the trial",
	  { A, B, 1, 1, GOOD, UNK }, 0, 0, B, MUE_BOOT_TRIAL, true, { A, B, 0, 1, GOOD, UNK } },
	{ "a trial without tries left goes back and says exhausted",
	  { A, B, 0, 1, GOOD, UNK }, 0, 0, A, MUE_BOOT_EXHAUSTED, true, { A, NONE, 0, 0, GOOD, BAD } },
	{ "a trial that failed in this boot waits while the active one runs",
	  { A, B, 1, 1, GOOD, UNK }, 0, TRIED_B, A, MUE_BOOT_CONFIRMED, false, { A, B, 1, 1, GOOD, UNK } },
	{ "a trial is not begun when its try cannot be counted",
	  { A, B, 2, 0, GOOD, UNK }, 0, MUE_BOOT_NO_STORE, A, MUE_BOOT_CONFIRMED, false, { A, B, 2, 0, GOOD, UNK } },
	{ "an uncounted trial still beats the recovery link",
	  { A, B, 2, 0, BAD, UNK }, 0, MUE_BOOT_NO_STORE | TRIED_A, B, MUE_BOOT_LAST_RESORT, false, { A, B, 2, 0, BAD, UNK } },
	{ "an active image known bad gives way to the good other one, which becomes active",
	  { A, NONE, 0, 0, BAD, GOOD }, 0, 0, B, MUE_BOOT_REFUSED, true, { B, NONE, 0, 0, BAD, GOOD } },
	{ "an active image that failed in this boot gives way too",
	  { B, NONE, 0, 0, GOOD, GOOD }, 0, TRIED_B, A, MUE_BOOT_REFUSED, true, { A, NONE, 0, 0, GOOD, GOOD } },
	{ "an image never confirmed is better than none",
	  { A, NONE, 0, 0, BAD, UNK }, 0, TRIED_A, B, MUE_BOOT_REFUSED, true, { B, NONE, 0, 0, BAD, UNK } },
	{ "the other slot is not made active when that cannot be stored, but boots",
	  { A, NONE, 0, 0, BAD, GOOD }, 0, MUE_BOOT_NO_STORE, B, MUE_BOOT_REFUSED, false, { B, NONE, 0, 0, BAD, GOOD } },
	{ "both bad: the factory image",
	  { A, NONE, 0, 0, BAD, BAD }, FACT, 0, MUE_SLOT_FACTORY, MUE_BOOT_FACTORY, false, { A, NONE, 0, 0, BAD, BAD } },
	{ "both bad and no factory image: the active one gets another chance",
	  { A, NONE, 0, 0, BAD, BAD }, 0, 0, A, MUE_BOOT_LAST_RESORT, false, { A, NONE, 0, 0, BAD, BAD } },
	{ "then the other bad one, as the active slot",
	  { A, NONE, 0, 0, BAD, BAD }, 0, TRIED_A, B, MUE_BOOT_LAST_RESORT, true, { B, NONE, 0, 0, BAD, BAD } },
	{ "the factory image failed too: bad slots again",
	  { B, NONE, 0, 0, BAD, BAD }, FACT, TRIED_F, B, MUE_BOOT_LAST_RESORT, false, { B, NONE, 0, 0, BAD, BAD } },
	{ "nothing holds: the recovery link",
	  { A, NONE, 0, 0, BAD, BAD }, FACT, TRIED_A | TRIED_B | TRIED_F, MUE_SLOT_RECOVERY, MUE_BOOT_RECOVERY, false,
	  { A, NONE, 0, 0, BAD, BAD } },
	{ "an exhausted trial over a rotten active image ends in the factory image",
	  { A, B, 0, 1, BAD, UNK }, FACT, 0, MUE_SLOT_FACTORY, MUE_BOOT_FACTORY, true, { A, NONE, 0, 0, BAD, BAD } },
};
/* clang-format on */

static void chooses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct mue_bootstate s = of(steps[i].before);
		struct mue_boot_choice c;

		mue_bootstate_step(&s, steps[i].policy, steps[i].tried, &c);
		same(steps[i].says, "slot", c.slot, steps[i].slot);
		same(steps[i].says, "reason", c.reason, steps[i].reason);
		same(steps[i].says, "store", c.store, steps[i].store);
		same_state(steps[i].says, &s, steps[i].after);
	}
}

enum verb { WRITE, TRIAL, CONFIRM, REVERT, MARK_BAD };

/* clang-format off */
static const struct {
	const char *says;
	struct brief before;
	enum verb verb;
	uint8_t slot, policy;
	uint32_t counter;
	int want;
	struct brief after;
	uint32_t floor;
} verbs[] = {
	{ "the inactive slot may be written and is then unknown",
	  { A, NONE, 0, 0, GOOD, GOOD }, WRITE, B, 0, 0, MUE_OK, { A, NONE, 0, 0, GOOD, UNK }, 5 },
	{ "the active slot may not be written",
	  { A, NONE, 0, 0, GOOD, GOOD }, WRITE, A, 0, 0, MUE_EPERM, { A, NONE, 0, 0, GOOD, GOOD }, 5 },
	{ "the golden slot may not be written even when it is inactive",
	  { B, NONE, 0, 0, GOOD, GOOD }, WRITE, A, GOLD, 0, MUE_EPERM, { B, NONE, 0, 0, GOOD, GOOD }, 5 },
	{ "the only good image may not be written",
	  { A, NONE, 0, 0, BAD, GOOD }, WRITE, B, 0, 0, MUE_EPERM, { A, NONE, 0, 0, BAD, GOOD }, 5 },
	{ "a running trial may not be overwritten",
	  { A, B, 1, 1, GOOD, UNK }, WRITE, B, 0, 0, MUE_EBUSY, { A, B, 1, 1, GOOD, UNK }, 5 },
	{ "writing a slot drops the trial it was asked for",
	  { A, B, 3, 0, GOOD, UNK }, WRITE, B, 0, 0, MUE_OK, { A, NONE, 0, 0, GOOD, UNK }, 5 },
	{ "there is no third slot to write",
	  { A, NONE, 0, 0, GOOD, UNK }, WRITE, MUE_SLOT_FACTORY, 0, 0, MUE_EINVAL, { A, NONE, 0, 0, GOOD, UNK }, 5 },
	{ "a trial of the inactive slot is noted, the floor stays",
	  { A, NONE, 0, 0, GOOD, BAD }, TRIAL, B, 0, 9, MUE_OK, { A, B, 3, 0, GOOD, UNK }, 5 },
	{ "an image at the floor may be tried",
	  { A, NONE, 0, 0, GOOD, UNK }, TRIAL, B, 0, 5, MUE_OK, { A, B, 3, 0, GOOD, UNK }, 5 },
	{ "an image below the floor may not",
	  { A, NONE, 0, 0, GOOD, UNK }, TRIAL, B, 0, 4, MUE_ECOUNTER, { A, NONE, 0, 0, GOOD, UNK }, 5 },
	{ "the last counters are kept back",
	  { A, NONE, 0, 0, GOOD, UNK }, TRIAL, B, 0, 0xffffffff, MUE_EEXHAUSTED, { A, NONE, 0, 0, GOOD, UNK }, 5 },
	{ "the active slot is not tried",
	  { A, NONE, 0, 0, GOOD, UNK }, TRIAL, A, 0, 9, MUE_EPERM, { A, NONE, 0, 0, GOOD, UNK }, 5 },
	{ "the golden slot is not tried",
	  { B, NONE, 0, 0, GOOD, GOOD }, TRIAL, A, GOLD, 9, MUE_EPERM, { B, NONE, 0, 0, GOOD, GOOD }, 5 },
	{ "a begun trial must be decided first",
	  { A, B, 1, 1, GOOD, UNK }, TRIAL, B, 0, 9, MUE_EBUSY, { A, B, 1, 1, GOOD, UNK }, 5 },
	{ "a trial that proved itself becomes active and raises the floor",
	  { A, B, 1, 1, GOOD, UNK }, CONFIRM, B, 0, 0, MUE_OK, { B, NONE, 0, 0, GOOD, GOOD }, 7 },
	{ "a trial that never ran cannot be confirmed",
	  { A, B, 3, 0, GOOD, UNK }, CONFIRM, B, 0, 0, MUE_EPERM, { A, B, 3, 0, GOOD, UNK }, 5 },
	{ "the old image cannot confirm a pending trial away",
	  { A, B, 3, 0, GOOD, UNK }, CONFIRM, A, 0, 0, MUE_EBUSY, { A, B, 3, 0, GOOD, UNK }, 5 },
	{ "confirming twice changes nothing",
	  { B, NONE, 0, 0, GOOD, GOOD }, CONFIRM, B, 0, 0, MUE_OK, { B, NONE, 0, 0, GOOD, GOOD }, 5 },
	{ "a fresh image confirms itself",
	  { A, NONE, 0, 0, UNK, UNK }, CONFIRM, A, 0, 0, MUE_OK, { A, NONE, 0, 0, GOOD, UNK }, 5 },
	{ "the inactive slot is not confirmed without a trial",
	  { A, NONE, 0, 0, GOOD, UNK }, CONFIRM, B, 0, 0, MUE_EPERM, { A, NONE, 0, 0, GOOD, UNK }, 5 },
	{ "the factory image has nothing to confirm",
	  { A, NONE, 0, 0, BAD, BAD }, CONFIRM, MUE_SLOT_FACTORY, 0, 0, MUE_EPERM, { A, NONE, 0, 0, BAD, BAD }, 5 },
	{ "a trial given up is bad",
	  { A, B, 1, 1, GOOD, UNK }, REVERT, 0, 0, 0, MUE_OK, { A, NONE, 0, 0, GOOD, BAD }, 5 },
	{ "a trial dropped before it ran is not bad",
	  { A, B, 3, 0, GOOD, UNK }, REVERT, 0, 0, 0, MUE_OK, { A, NONE, 0, 0, GOOD, UNK }, 5 },
	{ "without a trial a revert goes back to the other good image",
	  { B, NONE, 0, 0, GOOD, GOOD }, REVERT, 0, 0, 0, MUE_OK, { A, NONE, 0, 0, GOOD, GOOD }, 5 },
	{ "there must be something to go back to",
	  { B, NONE, 0, 0, BAD, GOOD }, REVERT, 0, 0, 0, MUE_ENOTFOUND, { B, NONE, 0, 0, BAD, GOOD }, 5 },
	{ "a trial image that does not verify ends its trial",
	  { A, B, 2, 1, GOOD, UNK }, MARK_BAD, B, 0, 0, true, { A, NONE, 0, 0, GOOD, BAD }, 5 },
	{ "an active image that rots is marked",
	  { A, NONE, 0, 0, GOOD, GOOD }, MARK_BAD, A, 0, 0, true, { A, NONE, 0, 0, BAD, GOOD }, 5 },
	{ "one known bad is not stored again",
	  { A, NONE, 0, 0, BAD, GOOD }, MARK_BAD, A, 0, 0, false, { A, NONE, 0, 0, BAD, GOOD }, 5 },
	{ "the factory image is never marked",
	  { A, NONE, 0, 0, BAD, BAD }, MARK_BAD, MUE_SLOT_FACTORY, 0, 0, false, { A, NONE, 0, 0, BAD, BAD }, 5 },
};
/* clang-format on */

static int apply(struct mue_bootstate *s, size_t i)
{
	switch (verbs[i].verb) {
	case WRITE:
		return mue_bootstate_begin_write(s, verbs[i].policy, verbs[i].slot);
	case TRIAL:
		return mue_bootstate_request_trial(s, verbs[i].policy, verbs[i].slot, 3,
						   verbs[i].counter);
	case CONFIRM:
		return mue_bootstate_confirm(s, verbs[i].slot, NULL);
	case REVERT:
		return mue_bootstate_revert(s, MUE_EHEALTH);
	case MARK_BAD:
		return mue_bootstate_mark_bad(s, verbs[i].slot, MUE_EDIGEST);
	default:
		return MUE_EINVAL;
	}
}

static void changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		struct mue_bootstate s = of(verbs[i].before), before = s;

		same(verbs[i].says, "verdict", apply(&s, i), verbs[i].want);
		same_state(verbs[i].says, &s, verbs[i].after);
		same(verbs[i].says, "counter", s.counter, verbs[i].floor);
		if (verbs[i].want < 0 && memcmp(&s, &before, sizeof(s)))
			fail_msg("%s: a refusal changed the state", verbs[i].says);
	}
}

static void keeps_the_reason_visible(void **state)
{
	struct mue_bootstate s = of((struct brief){ A, B, 1, 1, GOOD, UNK });
	struct mue_boot_choice c;

	(void)state;
	assert_int_equal(mue_bootstate_revert(&s, MUE_EHEALTH), MUE_OK);
	for (int boot = 0; boot < 3; boot++) {
		mue_bootstate_step(&s, 0, 0, &c);
		assert_int_equal(c.slot, A);
		assert_int_equal(c.reason, MUE_BOOT_REVERTED);
		assert_int_equal(s.verdict, MUE_EHEALTH);
		assert_false(c.store);
	}
	assert_int_equal(mue_bootstate_begin_write(&s, 0, B), MUE_OK);
	mue_bootstate_step(&s, 0, 0, &c);
	assert_int_equal(c.reason, MUE_BOOT_CONFIRMED);
}

static void refuses_when_exhausted(void **state)
{
	struct mue_bootstate s = of((struct brief){ A, NONE, 0, 0, GOOD, GOOD }), full;

	(void)state;
	s.sequence = MUE_BOOTSTATE_LAST;
	full = s;
	assert_int_equal(mue_bootstate_begin_write(&s, 0, B), MUE_EEXHAUSTED);
	assert_int_equal(mue_bootstate_request_trial(&s, 0, B, 1, 9), MUE_EEXHAUSTED);
	assert_memory_equal(&s, &full, sizeof(s));
	s.sequence = 1;
	s.counter = MUE_BOOTSTATE_LAST;
	assert_int_equal(mue_bootstate_begin_write(&s, 0, B), MUE_EEXHAUSTED);
	/* What has begun can still end. */
	s = of((struct brief){ A, B, 1, 1, GOOD, UNK });
	s.sequence = MUE_BOOTSTATE_LAST;
	assert_int_equal(mue_bootstate_confirm(&s, B, NULL), MUE_OK);
}

/* From every reachable-looking state, with every `tried` a loader can build up, the loop ends. */
static void always_ends(void **state)
{
	unsigned loops = 0, deepest = 0;

	(void)state;
	for (unsigned n = 0; n < 2 * 3 * 3 * 2 * 9 * 4; n++) {
		struct brief b = { .active = n & 1,
				   .tries = (uint8_t)(n / 2 % 3),
				   .begun = (uint8_t)(n / 18 % 2) };
		uint8_t trial = (uint8_t)(n / 6 % 3), policy = (uint8_t)(n / 324 % 4), tried = 0;
		struct mue_boot_choice c;
		struct mue_bootstate s;
		unsigned rounds = 0;

		b.a = (uint8_t)(n / 36 % 3);
		b.b = (uint8_t)(n / 108 % 3);
		b.trial = trial == 2 || trial == b.active ? NONE : trial;
		s = of(b);
		do {
			mue_bootstate_step(&s, policy, tried, &c);
			if (c.slot != MUE_SLOT_RECOVERY) {
				if (tried >> c.slot & 1)
					fail_msg("state %u: slot %u was chosen twice", n, c.slot);
				tried |= (uint8_t)(1u << c.slot);
				mue_bootstate_mark_bad(&s, c.slot, MUE_EDIGEST);
			}
			rounds++;
		} while (c.slot != MUE_SLOT_RECOVERY && rounds < 9);
		assert_int_equal(c.slot, MUE_SLOT_RECOVERY);
		assert_true(tried & 1 && tried & 2);
		loops++;
		deepest = rounds > deepest ? rounds : deepest;
	}
	assert_true(loops > 1000);
	assert_true(deepest <= 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses),
		cmocka_unit_test(changes),
		cmocka_unit_test(keeps_the_reason_visible),
		cmocka_unit_test(refuses_when_exhausted),
		cmocka_unit_test(always_ends),
	};

	return cmocka_run_group_tests_name("bootstate", tests, NULL, NULL);
}
