/*
 * bootctl.h - the port through which the agent talks to the boot loader's state.
 *
 * Every call that changes something is durable before it returns 0.  Members (bootctl.c has the
 * table): `sim` and `file` keep core/bootstate.h in a file; they differ in how the device is
 * rebooted: the simulated machine restarts when the agent exits with 75, a real one is told by a
 * command.  The conformance test is tests/agent/bootctl_conformance_test.c.
 */
#ifndef MUE_AGENT_BOOTCTL_H
#define MUE_AGENT_BOOTCTL_H

#include "host/err.h"

#include <stdbool.h>
#include <stdint.h>

struct mue_bootctl;

/* What the loader's state says. */
struct mue_boot_view {
	uint8_t active;   /* slot that boots when no trial is due: 0 A, 1 B */
	uint8_t trial;    /* slot on trial, MUE_SLOT_NONE: none */
	bool begun;       /* the trial was booted */
	uint8_t tries;    /* boots left to it */
	uint32_t counter; /* rollback floor */
	uint8_t reason;   /* enum mue_boot_reason of the last change */
	int verdict;      /* enum mue_err of the last change, 0: no failure */
};

struct mue_bootctl_ops {
	const char *name;
	int (*view)(struct mue_bootctl *b, struct mue_boot_view *ret, struct mue_error *e);
	/* The slot is about to be overwritten.  MUE_EPERM: it must not be. */
	int (*begin_write)(struct mue_bootctl *b, uint8_t slot, struct mue_error *e);
	/* MUE_ECOUNTER: below the rollback floor. */
	int (*request_trial)(struct mue_bootctl *b, uint8_t slot, uint8_t tries, uint32_t counter,
			     struct mue_error *e);
	/* A trial that has not begun is given up; harmless without one.  MUE_EREBOOT: it began. */
	int (*drop_trial)(struct mue_bootctl *b, struct mue_error *e);
	/* The running slot has proved itself: the rollback floor rises. */
	int (*confirm)(struct mue_bootctl *b, uint8_t running, struct mue_error *e);
	/* Gives the begun trial up because of `verdict`. */
	int (*revert)(struct mue_bootctl *b, int verdict, struct mue_error *e);
};

struct mue_bootctl {
	const struct mue_bootctl_ops *ops;
	char path[256];
	bool exits; /* reboot = leave with MUE_EXIT_REBOOT */
};

#define MUE_EXIT_REBOOT 75

/* Names of the members, ended by NULL: "sim", "file". */
extern const char *const mue_bootctl_names[];

/* From the configuration's `NAME:PATH`.  MUE_EINVAL: no such member. */
int mue_bootctl_init(struct mue_bootctl *b, const char *spec, struct mue_error *e);

#endif
