/*
 * judge.h - is this manifest one that this device should install?  The client's own questions,
 * apart from its state (mcu/mcu.c).
 */
#ifndef MUE_MCU_JUDGE_H
#define MUE_MCU_JUDGE_H

#include "core/suit_p0.h"
#include "mcu/mcu.h"

/* Reads the envelope in stage and verifies its signature; feeds the watchdog meanwhile.  Then
 * vendor, class, the slot it is linked for, and whether image and envelope fit their places.
 * *ret is to be believed only after 0.  Verdicts of mue_suit_p0_open; MUE_EVENDOR, MUE_ECLASS,
 * MUE_EADDRESS, MUE_ESIZE. */
int mue_judge_manifest(const struct mue_mcu_device *d, uint16_t envelope, uint8_t target,
		       struct mue_suit_p0 *ret);

/* Is it new, and not below the rollback floor?  MUE_EOLD: not newer than `sequence`, which runs.
 * MUE_ECOUNTER.  MUE_EEXHAUSTED: its counter would leave no room for another one. */
int mue_judge_release(const struct mue_suit_p0 *p0, const struct mue_bootstate *s,
		      uint32_t sequence);

/* Reads the manifest in a slot's footer without a look at its signature: of the slot that runs the
 * bootloader has just verified it; of the other one only the session's name is wanted. */
int mue_judge_footer(const struct mue_mcu_device *d, uint8_t slot, struct mue_suit_p0 *ret);

#endif
