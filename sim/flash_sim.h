/*
 * flash_sim.h - a NOR flash in memory that holds the caller to the rules and cuts its power.
 *
 * Rules: a write only clears bits (result = old AND new), goes to erased bytes only, and whole
 * program units; an erase starts at a block.  A breach aborts the program with a sentence: it is
 * the caller's bug, in a test (a test of mutants may have breaches counted instead).  Every write
 * and erase is one operation; reads are free. Power: before operation number `cut_at` is done, done
 * in half, or done whole, control leaves by longjmp to `on_cut`.  The memory keeps what the medium
 * would: hand it to the next power-on. A copy of the struct's memory is a snapshot.
 */
#ifndef MUE_SIM_FLASH_SIM_H
#define MUE_SIM_FLASH_SIM_H

#include "core/flash.h"

#include <setjmp.h>
#include <stdbool.h>

/* What stays in the medium of the operation during which power fails. */
enum mue_tear {
	MUE_TEAR_BEFORE,  /* nothing happened */
	MUE_TEAR_HALF,    /* the first half, the rest untouched */
	MUE_TEAR_GARBLED, /* the first half, then some units half programmed or half erased */
	MUE_TEAR_AFTER,   /* all of it, but the caller never hears */
	MUE_TEARS
};

struct mue_flash_sim {
	struct mue_flash flash; /* hand &sim->flash to core */
	uint8_t *memory;        /* size bytes, the caller's */
	uint32_t ops;           /* writes and erases since power-on */
	uint32_t erases, writes;
	uint32_t cut_at;     /* 1 = the first operation; 0: power stays */
	enum mue_tear tear;  /* how that operation ends */
	uint32_t seed;       /* of the garbled bytes */
	bool overwrite;      /* lift the rule that written bytes are erased: EEPROM-like media */
	bool count_breaches; /* do not abort on a breach */
	uint32_t breaches;
	jmp_buf on_cut; /* set before cut_at */
};

/* A region of `blocks` erase blocks over caller's `memory`, left as it is. */
void mue_flash_sim_init(struct mue_flash_sim *s, uint8_t *memory, uint32_t blocks,
			uint32_t erase_size, uint16_t write_size, uint8_t erased);

/* Counts from 0 again, with a cut at operation `cut_at` (0: none) torn as `tear`. */
void mue_flash_sim_power_on(struct mue_flash_sim *s, uint32_t cut_at, enum mue_tear tear);

#endif
