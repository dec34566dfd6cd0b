/*
 * delta_field.h - addresses scattered over the bits of an instruction, described by bytes.
 *
 * A form is: how many bits are signed (0: unsigned), how the number counts (below), then for every
 * piece its bits, where it stands in the number, where in the instruction (of 32 bits, little
 * endian); 0 ends it.  One reader and one writer serve all forms: small where flash is small.
 */
#ifndef MUE_CORE_DELTA_FIELD_H
#define MUE_CORE_DELTA_FIELD_H

#include "core/delta_isa.h"

/* How a number counts. */
enum {
	MUE_FIELD_REL = 1,     /* from the instruction's address + the bytes in bits 5..7 */
	MUE_FIELD_ALIGNED = 2, /* that address rounded down to a multiple of 4 */
	MUE_FIELD_BL = 4,      /* bits 22 and 23 are stored inverted when bit 24 is 0 */
	MUE_FIELD_SIZE = 8,    /* stored as its size, bit 12 says that it is not negative */
	MUE_FIELD_MINUS = 16,  /* stored negated, 16 bits */
	MUE_FIELD_PC_2 = 2 << 5,
	MUE_FIELD_PC_4 = 4 << 5,
};

/* The address in u->bytes at `addr`. */
uint32_t mue_delta_field_get(const uint8_t *form, const struct mue_delta_unit *u, uint32_t addr);

/* Writes `value`; false, and nothing written, when reading it back would give another address. */
bool mue_delta_field_put(const uint8_t *form, struct mue_delta_unit *u, uint32_t addr,
			 uint32_t value);

#endif
