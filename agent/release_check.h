/*
 * release_check.h - is this release for this device, now?  Asked before a byte of payload is
 * fetched.
 */
#ifndef MUE_AGENT_RELEASE_CHECK_H
#define MUE_AGENT_RELEASE_CHECK_H

#include "agent/config.h"
#include "host/release.h"

#include <stdbool.h>

/* What a verified envelope says, as far as the agent needs it. */
struct mue_release_facts {
	uint8_t digest[32]; /* of the manifest */
	uint64_t sequence;
	uint32_t counter;
	char version[64];
	uint8_t image[32]; /* digest of component 0 */
	uint64_t size;
};

/* What this device is. */
struct mue_device {
	uint8_t vendor[16], class_id[16];
	bool known; /* `running` is filled: the running slot has an envelope */
	struct mue_release_facts running;
	uint32_t floor; /* rollback counter */
	uint8_t slot;   /* that would be written */
};

/* Vendor and class of the configuration: a UUID, or names as `mue pack` takes them. */
int mue_device_ids(const struct mue_config *c, struct mue_device *ret, struct mue_error *e);

void mue_release_facts(const struct mue_suit_info *info, struct mue_release_facts *ret);

/*
 * Vendor, class, kind of component, sequence, security counter, precursor, size: MUE_EVENDOR,
 * MUE_ECLASS, MUE_EPROFILE, MUE_EOLD, MUE_ECOUNTER, MUE_EEXHAUSTED, MUE_EPRECURSOR, MUE_ESIZE, each
 * with both sides of the comparison in the sentence.
 */
int mue_release_fits(const struct mue_suit_info *info, const struct mue_device *d,
		     uint64_t slot_size, struct mue_error *e);

/* Battery (of configuration and manifest), link class, room for the state: MUE_EBATTERY,
 * MUE_ELINK, MUE_ENOSPC. */
int mue_release_now(const struct mue_config *c, uint8_t battery_min, struct mue_error *e);

/* SUIT's condition-version: `want` is CBOR [comparison, [numbers]], `have` a text like "1.4.2".
 * MUE_ECONDITION: does not hold. */
int mue_release_version(struct mue_view want, const char *have, struct mue_error *e);

#endif
