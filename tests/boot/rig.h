/*
 * rig.h - signed images for the boards' tests, made by the same code as real releases.
 */
#ifndef MUE_TESTS_BOOT_RIG_H
#define MUE_TESTS_BOOT_RIG_H

#include "core/bootstate.h"
#include "host/buf.h"
#include "host/key.h"

#include <stdbool.h>
#include <stdint.h>

/* A product: its key in a temporary folder, its ids. */
struct rig {
	char folder[64];
	struct mue_key *key;
	uint8_t vendor[16], class_id[16];
};

/* What may be unusual about a release. */
struct rig_release {
	uint32_t sequence, counter;
	int slot; /* it says it is linked for */
	const uint8_t *image;
	uint32_t size;
	bool other_vendor, other_class, unsigned_;
};

/* 0 or -1 with a message on stderr. */
int rig_open(struct rig *r);
void rig_close(struct rig *r);

/* Appends the signed P0 envelope to *ret. */
int rig_envelope(struct rig *r, const struct rig_release *rel, struct mue_buf *ret);

#endif
