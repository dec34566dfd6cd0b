/*
 * life.h - a device's whole life over a simulated journal: loader, update client and the updates
 * it is given, with power cut wherever the campaign says.
 *
 * What must hold after any cut: the journal loads the state before the store under way or the one
 * after it; the device boots an image that holds and is not below the floor; the floor is never
 * above the last confirmed image; a trial starts no more often than it was given tries; and in the
 * end every update has been taken or given up as it deserves.
 */
#ifndef MUE_TESTS_SIM_LIFE_H
#define MUE_TESTS_SIM_LIFE_H

#include "core/bootstate.h"
#include "sim/flash_sim.h"

/* How the image of an update behaves. */
enum fate {
	FATE_GOOD,      /* confirms itself */
	FATE_UNHEALTHY, /* fails its health check: reverts */
	FATE_DEAD,      /* never gets as far as confirming */
	FATE_ROTTEN,    /* does not verify at its first boot */
};

struct geometry {
	const char *name;
	uint32_t erase_size;
	uint16_t write_size;
	uint8_t erased;
	bool overwrite;
	uint32_t spare; /* records that still fit the first block when the life begins */
};

/* The code under test; mutants replace a member. */
struct journal {
	const char *name;
	int (*load)(const struct mue_flash *f, struct mue_bootstate *ret);
	int (*store)(const struct mue_flash *f, struct mue_bootstate *s);
	int (*request_trial)(struct mue_bootstate *s, uint8_t policy, uint8_t slot, uint8_t tries,
			     uint32_t counter);
	bool start_before_store; /* a loader that counts the try after it started the trial */
};

struct tally {
	uint64_t lives, cuts, boots;
	uint64_t losses; /* lives in which a promise was broken */
	char first[200]; /* the first of them */
	uint32_t max_erases;
};

/* Lives one life uncut, then cut at every operation in every kind, then with a second cut at each
 * of the `depth2` operations after the first.  Adds to *t; ends early after `max_losses` (0:
 * never). */
void life_campaign(const struct geometry *g, const struct journal *j, uint32_t depth2,
		   uint64_t max_losses, struct tally *t);

#endif
