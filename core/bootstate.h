/*
 * bootstate.h - which slot boots next, why, and what the rollback floor is.
 *
 * Two halves.  The pure half changes a struct mue_bootstate and nothing else: a boot step, a trial,
 * a confirm, a revert, a slot found bad.  The durable half keeps that struct as a journal of CRC'd
 * records over the first two erase blocks of a struct mue_flash.  Power may be cut at any instant:
 * the next load gives the state before the store or the one after it, never a mixture.
 * No allocation, no globals, no recursion; the scan is bounded by the two blocks.
 * Format: docs/FORMATS.md, section "Boot state".
 *
 * The loader's loop (boot/, agent/boot_sim.c) is: step; if choice.store, store (when that fails:
 * load again and go on with MUE_BOOT_NO_STORE in `tried`); verify choice.slot; if it does not hold,
 * set its bit in `tried`, mark it bad, store when that changed something, and step again.  A tried
 * slot is not chosen again, so the loop ends after a handful of rounds, at the latest with
 * MUE_SLOT_RECOVERY.  The slot that runs is always the active one, the trial, or the factory image.
 * The update client's life is: begin_write -> (write the slot) -> request_trial -> reboot ->
 * confirm or revert; it stores after each.
 */
#ifndef MUE_CORE_BOOTSTATE_H
#define MUE_CORE_BOOTSTATE_H

#include "core/flash.h"

#include <stdbool.h>
#include <stdint.h>

enum mue_slot {
	MUE_SLOT_A = 0,
	MUE_SLOT_B = 1,
	MUE_SLOT_FACTORY = 2,  /* an image of its own that no update writes */
	MUE_SLOT_RECOVERY = 3, /* no image: the recovery link */
	MUE_SLOT_NONE = 0xff,
};

/* What is known of the image in slot A or B. */
enum mue_slot_state {
	MUE_IMAGE_UNKNOWN = 0, /* written or half written, never confirmed */
	MUE_IMAGE_GOOD = 1,    /* was confirmed since it was written */
	MUE_IMAGE_BAD = 2,     /* failed its trial or its verification */
};

/* Wire format: never renumber.  Names: mue_boot_reason_name() in host/bootname.h. */
/* clang-format off */
#define MUE_BOOT_REASON_LIST(X) \
	X(MUE_BOOT_FRESH,       0, "fresh")       /* no record yet */ \
	X(MUE_BOOT_CONFIRMED,   1, "confirmed")   /* the image proved itself */ \
	X(MUE_BOOT_TRIAL,       2, "trial")       /* a new image on trial */ \
	X(MUE_BOOT_EXHAUSTED,   3, "exhausted")   /* the trial used its tries and did not confirm */ \
	X(MUE_BOOT_REVERTED,    4, "reverted")    /* the trial was given up, see the verdict */ \
	X(MUE_BOOT_REFUSED,     5, "refused")     /* the chosen image did not verify, see the verdict */ \
	X(MUE_BOOT_FACTORY,     6, "factory")     /* neither slot is usable */ \
	X(MUE_BOOT_LAST_RESORT, 7, "last-resort") /* a slot known bad, because there is nothing else */ \
	X(MUE_BOOT_RECOVERY,    8, "recovery")    /* nothing boots: wait on the recovery link */ \
	X(MUE_BOOT_WRITING,     9, "writing")     /* the inactive slot is being written */
/* clang-format on */

enum mue_boot_reason {
#define X(name, number, text) name = number,
	MUE_BOOT_REASON_LIST(X)
#undef X
};

/* Policy bits of the board. */
#define MUE_BOOT_HAS_FACTORY 0x01u /* there is an image in MUE_SLOT_FACTORY */
#define MUE_BOOT_GOLDEN      0x02u /* slot A is the factory image: never written, never on trial */

/* Bit of `tried`, beside 1 << slot: the journal cannot be written.  No trial is begun then. */
#define MUE_BOOT_NO_STORE 0x80u

/* Sequence and counter stop here: beyond it no new update begins, so that the records and the
 * counter still needed to finish or revert the last one always exist. */
#define MUE_BOOTSTATE_LAST 0xffff0000u

struct mue_bootstate {
	uint32_t sequence;      /* of the stored record; 0: never stored.  Set by load and store */
	uint32_t counter;       /* rollback floor: no image with a lower security counter boots */
	uint32_t trial_counter; /* the trial image's; becomes the floor on confirm */
	uint8_t active;         /* MUE_SLOT_A or _B: the slot that boots when no trial is due */
	uint8_t trial;          /* MUE_SLOT_A, _B or MUE_SLOT_NONE; never the active one */
	uint8_t tries;          /* boots left to the trial */
	uint8_t begun;          /* 1 once the trial has been booted */
	uint8_t image[2];       /* enum mue_slot_state of A and B */
	uint8_t reason;         /* enum mue_boot_reason of the last change */
	int8_t verdict;         /* enum mue_err of the last change, 0 when it was no failure */
};

struct mue_boot_choice {
	uint8_t slot;   /* enum mue_slot, never MUE_SLOT_NONE */
	uint8_t reason; /* enum mue_boot_reason: why this slot runs, for the application's report */
	bool store;     /* *s changed: store it before the slot is verified or started */
};

/* ---- the pure half: touches only *s; on a refusal *s is unchanged ---- */

/* A device that leaves the factory, or has lost its journal: `active` boots, nothing is known. */
void mue_bootstate_init(struct mue_bootstate *s, uint8_t active);

/* Chooses for this boot.  `policy`: MUE_BOOT_* bits; `tried`: bit n set when slot n failed in this
 * very boot, and MUE_BOOT_NO_STORE.  Order: the trial while it has tries; the active slot; the
 * other slot; the factory image; the slots known bad, once more; the recovery link.  A trial's try
 * is counted here: start it only after the store succeeded, an uncounted trial must not run. */
void mue_bootstate_step(struct mue_bootstate *s, uint8_t policy, uint8_t tried,
			struct mue_boot_choice *ret);

/* The update client is about to overwrite `slot` (A or B): call and store BEFORE the first erase.
 * A pending trial of that slot is dropped.  MUE_EINVAL: no such slot.  MUE_EPERM: it is the active
 * slot, the golden one, or the only good image while the active one is bad.  MUE_EBUSY: it runs a
 * begun trial.  MUE_EEXHAUSTED: sequence or counter has no room for another update. */
int mue_bootstate_begin_write(struct mue_bootstate *s, uint8_t policy, uint8_t slot);

/* Asks for `tries` (1..255) trial boots of `slot`, whose image has the security counter `counter`.
 * A trial not begun yet is replaced.  MUE_EINVAL: slot or tries out of range.  MUE_EPERM: the
 * active or the golden slot.  MUE_EBUSY: a begun trial is not decided.  MUE_ECOUNTER: below the
 * floor.  MUE_EEXHAUSTED: sequence or counter above MUE_BOOTSTATE_LAST. */
int mue_bootstate_request_trial(struct mue_bootstate *s, uint8_t policy, uint8_t slot,
				uint8_t tries, uint32_t counter);

/* The image in `running` has proved itself: it becomes the active one, the floor rises to its
 * counter.  0, also when there was nothing to change (compare *ret_changed, which may be NULL).
 * MUE_EPERM: `running` is neither a begun trial nor the active slot.  MUE_EBUSY: `running` is the
 * active slot and a trial of the other one is pending. */
int mue_bootstate_confirm(struct mue_bootstate *s, uint8_t running, bool *ret_changed);

/* Gives up the trial, for `verdict` (enum mue_err < 0): a begun one is marked bad, a pending one
 * is only dropped.  Without a trial: goes back to the other slot when that is good.
 * MUE_ENOTFOUND: there is nothing to go back to. */
int mue_bootstate_revert(struct mue_bootstate *s, int verdict);

/* `slot` (A or B) did not verify; ends its trial.  The next step chooses another.  True when *s
 * changed and must be stored; other slot numbers, and a slot known bad already, change nothing. */
bool mue_bootstate_mark_bad(struct mue_bootstate *s, uint8_t slot, int verdict);

/* True when the active image was confirmed and no trial is pending. */
bool mue_bootstate_confirmed(const struct mue_bootstate *s);

/* ---- the durable half ---- */

/* Bytes of a record on the medium, before padding to the program unit. */
#define MUE_BOOTSTATE_RECORD 32

/* Fills *ret with the newest valid record.  MUE_ENODATA: there is none.  MUE_EIO.  MUE_EINVAL: the
 * geometry does not fit (two blocks, each of at least two records, program unit <= 256). */
int mue_bootstate_load(const struct mue_flash *f, struct mue_bootstate *ret);

/* Makes *s durable before it returns 0, reads it back, and raises s->sequence.  At most one
 * erase and one record written; the block that holds the newest record is never erased.
 * MUE_ECONFLICT: somebody stored since *s was loaded: load again.  MUE_EEXHAUSTED: the sequence
 * cannot rise.  MUE_EINVAL, MUE_EIO as for load; *s is then unchanged. */
int mue_bootstate_store(const struct mue_flash *f, struct mue_bootstate *s);

#endif
