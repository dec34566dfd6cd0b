/*
 * mcu_life.h - a microcontroller's life over the simulated node: two updates, one into each slot,
 * with power cut wherever the campaign says.
 *
 * What must hold after any cut: the loader starts an image that verifies, old or new; a slot that
 * the journal calls good verifies; no mark names a grain that is not there; no rule of flash is
 * broken; little is sent twice; and in the end both updates are confirmed.
 */
#ifndef MUE_TESTS_SIM_MCU_LIFE_H
#define MUE_TESTS_SIM_MCU_LIFE_H

#include "sim/mcu_node.h"

struct mcu_tally {
	uint64_t lives, cuts, boots;
	uint64_t losses;  /* lives in which a promise was broken */
	char first[200];  /* the first of them */
	uint32_t ops;     /* flash operations of a life without cuts */
	uint64_t sent;    /* bytes of payload and envelope, worst life */
	uint32_t payload; /* bytes that had to be sent */
};

/* Signs the images once.  0, or -1. */
int mcu_life_setup(void);
void mcu_life_teardown(void);

/* One life uncut, one for each operation in each kind of tear, then `doubles` lives with two or
 * more cuts at random.  Adds to *t; ends after `max_losses` (0: never). */
void mcu_life_campaign(const struct mcu_geometry *g, uint32_t doubles, uint64_t max_losses,
		       struct mcu_tally *t);

extern const struct mcu_geometry mcu_life_geometries[];
extern const unsigned mcu_life_geometries_count;

#endif
