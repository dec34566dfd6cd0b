/*
 * suit_p0.h - the boot profile of SUIT: what a bootloader reads, and nothing else.
 *
 * One component, one SHA-256, a fixed order of keys and commands, no interpreter; the exact form
 * stands in docs/FORMATS.md, section "SUIT P0".  The envelope is read through a source and stays
 * where it is (flash); only the manifest, at most MUE_SUIT_P0_MAX bytes, comes into RAM.  Any
 * difference from the form is a refusal.  Needs sha256.c and one verifier; of CBOR, COSE and the
 * other SUIT files nothing but mue_cose_source_copy.
 */
#ifndef MUE_CORE_SUIT_P0_H
#define MUE_CORE_SUIT_P0_H

#include "core/cose.h"
#include "core/sha256.h"

#include <stdint.h>

#define MUE_SUIT_P0_MAX    255  /* bytes of a manifest */
#define MUE_SUIT_P0_BLOCKS 2    /* authentication blocks */
#define MUE_SUIT_P0_ANY    0xff /* slot: none named */

/* What the boot manifest says.  Pointers into `manifest`: do not move the struct. */
struct mue_suit_p0 {
	uint32_t sequence;                /* SUIT sequence number */
	uint32_t size;                    /* of the image, bytes */
	uint32_t counter;                 /* security counter, 0 when unsaid */
	uint32_t length;                  /* of the envelope, bytes */
	const uint8_t *vendor, *class_id; /* 16 bytes each */
	const uint8_t *image;             /* SHA-256 of the image, 32 bytes */
	uint8_t slot;                     /* that it is linked for, 0..23, or MUE_SUIT_P0_ANY */
	uint8_t digest[32];               /* SHA-256 of the manifest: the session key */
	uint8_t manifest_len;
	uint8_t manifest[MUE_SUIT_P0_MAX];
};

/*
 * Reads and checks the envelope that fills `env` from 0 to env->size, and verifies it: at least one
 * of its one or two COSE_Sign1 blocks must hold under `v`.  *ret is scratch and holds nothing to be
 * believed unless 0 is returned (the one exception to "written only on success": it is large).
 * MUE_EFORMAT, MUE_ETRUNC, MUE_EPROFILE: not this profile.  MUE_EDIGEST: the manifest's digest
 * differs.  MUE_ESIGNATURE: no block holds.  Else what a read returned.
 */
int mue_suit_p0_open(const struct mue_lms_source *env, const struct mue_verifier *v,
		     struct mue_suit_p0 *ret);

/* The form alone, for hosts: checks manifest[0..manifest_len) and fills the fields before it. */
int mue_suit_p0_parse(struct mue_suit_p0 *p0);

#endif
