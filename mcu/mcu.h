/*
 * mcu.h - the update client of a firmware without an OS.
 *
 * Messages of core/frame.h come in from any link, one after the other, in any mix.  The manifest
 * comes first and is judged (signature, vendor, class, slot, size, sequence, counter) before a byte
 * of payload is asked for or the inactive slot is touched; then pieces, across resets; then the
 * image is read back and hashed, the envelope is put behind it, a trial is asked for, the
 * application's self test runs in the new image, and it is confirmed or given up.  Nothing blocks
 * but single flash operations and the signature check; no allocation, no globals.
 *
 *	mue_mcu_init(&m, &device, &room);
 *	for (;;) {
 *		a message came:            mue_mcu_take(&m, message, len);
 *		the link has `room` spare: n = mue_mcu_next(&m, buf, room, true);
 *		if (mue_mcu_step(&m) == MUE_EREBOOT) reboot when it suits;
 *	}
 */
#ifndef MUE_MCU_MCU_H
#define MUE_MCU_MCU_H

#include "core/bootstate.h"
#include "core/cose.h"
#include "core/sha256.h"
#include "mcu/store.h"

#define MUE_MCU_FOOTER_HEAD 2 /* length of the envelope, little endian; then the envelope */
#define MUE_MCU_SIGNATURES  3 /* unsound envelopes of a session that are received anew */
#define MUE_MCU_PATIENCE    8 /* calls for another session before a silent one is given up */

/* What the firmware lends.  Members marked "or NULL" are gates and hooks that a device may lack. */
struct mue_mcu_ops {
	/* The boot state (the boot section's service, or mue_bootstate_load and _store).  load
	 * gives a fresh state when there is none.  0 or a verdict. */
	int (*state_load)(void *ctx, struct mue_bootstate *ret);
	int (*state_store)(void *ctx, struct mue_bootstate *s);
	/* Is the image that runs on trial healthy?  0: confirm it.  MUE_EBUSY: not known yet.
	 * Another verdict: go back. */
	int (*self_test)(void *ctx);
	uint8_t (*battery)(void *ctx); /* per cent; or NULL */
	bool (*busy)(void *ctx);       /* may flash be written, may we reboot?  or NULL */
	uint16_t (*minute)(void *ctx); /* of the day, 0xffff: unknown; or NULL */
	void (*kick)(void *ctx);       /* feeds the watchdog; or NULL */
};

/* The device; all of it constant and kept. */
struct mue_mcu_device {
	const struct mue_mcu_ops *ops;
	void *ctx;
	const struct mue_verifier *verifier;
	const uint8_t *vendor, *class_id; /* 16 bytes each */
	const struct mue_flash *slot[2];  /* A and B: image, then the footer */
	uint32_t footer;                  /* its offset in a slot, at an erase block */
	struct mue_store_place stage;     /* where an envelope stands until it is accepted */
	const struct mue_flash *marks;    /* the payload's marks: this region */
	uint32_t marks_off, marks_room;
	uint8_t grain_log2; /* of the payload */
	uint8_t running;    /* the slot that runs */
	uint8_t policy;     /* MUE_BOOT_* bits */
	uint8_t tries;      /* boots of a trial */
	bool addressed;     /* an image must be linked for its slot */
	uint8_t battery_min;
	uint16_t from, to; /* minutes of the day when a trial may begin; equal: always */
};

/* Memory that the firmware lends. */
struct mue_mcu_room {
	uint8_t *bitmap;
	uint16_t bitmap_len;          /* a bit a grain of the largest image */
	struct mue_store_cell *cells; /* at least one; more help against loss */
	uint8_t cells_count;
};

struct mue_mcu {
	const struct mue_mcu_device *d;
	struct mue_store store;
	struct mue_store_place payload; /* the inactive slot */
	struct mue_sha256 sha;
	uint8_t image[32]; /* digest that the manifest names */
	uint32_t at;       /* how far hashing and the footer have come */
	uint32_t counter;  /* of the manifest */
	uint32_t sequence; /* of the image that runs */
	uint16_t session, running_session;
	uint16_t envelope; /* bytes in the staged one */
	uint8_t phase;     /* enum mue_frame_phase */
	int8_t verdict;    /* of a refusal, or what is waited for */
	uint8_t reason;    /* why this slot booted */
	uint8_t patience, unsound;
	uint8_t target; /* the inactive slot */
	bool testing;   /* this boot is the trial */
	bool footer;    /* the image is checked, the footer is being written */
	bool report_due, want_due;
};

/* After every reset: finds out what runs and why, and what was under way.  MUE_EINVAL, or what the
 * state's medium said. */
int mue_mcu_init(struct mue_mcu *m, const struct mue_mcu_device *d,
		 const struct mue_mcu_room *room);

/* Takes one message.  0, or why nothing came of it: MUE_ENOTFOUND: not of this session; MUE_EBUSY,
 * MUE_EBATTERY: a gate is shut, it will be wanted again; verdicts of the reader and of flash. */
int mue_mcu_take(struct mue_mcu *m, const uint8_t *message, uint8_t len);

/* What this device has to say in `room` bytes: answers, and with `spare` (bytes that cost nothing)
 * what is missing, unasked.  Length of the message in buf, 0: nothing. */
uint8_t mue_mcu_next(struct mue_mcu *m, uint8_t *buf, uint8_t room, bool spare);

/* A bounded piece of work: judges a manifest (a signature: seconds on an AVR), hashes 256 bytes,
 * writes a block of the footer, asks for the trial, runs the self test.  0: call again some time.
 * MUE_EREBOOT: reboot into the trial, or back.  Verdicts: see report. */
int mue_mcu_step(struct mue_mcu *m);

/* Forgets the session under way, unless its image is on trial already. */
int mue_mcu_cancel(struct mue_mcu *m);

#endif
