/*
 * guess.h - which instruction set and which link addresses two images have.
 */
#ifndef MUE_DELTA_GUESS_H
#define MUE_DELTA_GUESS_H

#include "delta/delta.h"

enum { MUE_GUESSES = 4 };

struct mue_guess {
	int isa;
	bool elf; /* addresses are those of the program headers */
	uint32_t old_base, new_base;
};

/* Fills the guesses that are worth trying, MUE_DELTA_PLAIN among them; returns how many. */
size_t mue_guess_isa(struct mue_span old, struct mue_span new, const struct mue_diff_options *o,
		     struct mue_guess ret[MUE_GUESSES]);

/* The address of a raw image's first byte, as its own pointers say; 0 when they say nothing. */
uint32_t mue_guess_base(struct mue_span image, int isa);

#endif
