/*
 * field_rig.h - releases and nodes for the tests and the bench of radio and piggyback.
 */
#ifndef MUE_TESTS_SIM_FIELD_RIG_H
#define MUE_TESTS_SIM_FIELD_RIG_H

#include "sim/mcu_field.h"

/* What the release is like, beside good. */
enum field_kind {
	FIELD_GOOD,
	FIELD_OTHER_CLASS, /* its manifest is for another class */
	FIELD_OTHER_VENDOR,
	FIELD_OLD,        /* the sequence that runs */
	FIELD_BELOW,      /* its counter is below the floor */
	FIELD_EXHAUSTED,  /* its counter leaves no room */
	FIELD_WRONG_SLOT, /* its manifest is for the slot that runs */
	FIELD_UNSIGNED,
	FIELD_OTHER_IMAGE, /* the payload is not the one that was signed */
	FIELD_LARGE,       /* larger than the slot */
	FIELD_TRAILING,    /* bytes behind the envelope's end */
	FIELD_KINDS
};

int field_rig_open(void);
void field_rig_close(void);

/* Fills *ret with a release of `size` bytes (at most MCU_NODE_IMAGE, but FIELD_LARGE). */
int field_rig_release(enum field_kind kind, uint32_t size, struct field_release *ret);

/* Sets up `count` nodes that run sequence 5 with counter 5 in slot A, confirmed. */
void field_rig_nodes(struct field *f, const struct mcu_geometry *g, uint8_t count);

/* ATmega128 and LoRa-like: SF9 (1.76 kbit/s), delays that reorder, no losses. */
extern const struct mcu_geometry field_rig_avr;
struct field_params field_rig_params(enum field_mode mode, uint8_t mtu, uint16_t loss);

#endif
