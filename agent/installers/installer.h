/*
 * installer.h - the port through which an image reaches its place.
 *
 * Bytes come in order of rising offsets; a place that was half written is opened again and
 * continued.  Nothing is durable before sync returns 0; read gives what is in the medium, not what
 * a cache remembers.  A member is one line in the table of installers.c, and the conformance test
 * (tests/agent/installer_conformance_test.c) runs over that table.
 *
 * Members: `image` (a file), `block` (a block device), `memory` (sim.c: tests; it loses unsynced
 * writes when the power is cut, and cuts the power when told to).
 */
#ifndef MUE_AGENT_INSTALLER_H
#define MUE_AGENT_INSTALLER_H

#include "host/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mue_installer;

struct mue_installer_ops {
	const char *name;
	/* sync and read may be called by one thread while another writes. */
	bool threads;
	/* Opens the place for an image of `size` bytes and makes room for it; keeps what is there.
	 * MUE_ESIZE: larger than the place.  MUE_ENOSPC.  MUE_EBUSY: in use, e.g. mounted. */
	int (*open)(struct mue_installer *i, uint64_t size, struct mue_error *e);
	/* Writes; returns when the bytes are taken, not when they are durable. */
	int (*write)(struct mue_installer *i, uint64_t off, const void *data, size_t len,
		     struct mue_error *e);
	/* Starts bringing the range to the medium and does not wait. */
	void (*push)(struct mue_installer *i, uint64_t off, uint64_t len);
	/* All bytes written so far are durable when it returns 0. */
	int (*sync)(struct mue_installer *i, struct mue_error *e);
	/* Reads from the medium; call it for synced bytes only.  MUE_ETRUNC: beyond the end. */
	int (*read)(struct mue_installer *i, uint64_t off, void *buf, size_t len,
		    struct mue_error *e);
	void (*close)(struct mue_installer *i); /* harmless when not open */
};

struct mue_installer {
	const struct mue_installer_ops *ops;
	char path[256];
	uint64_t limit; /* configured size of the place, 0: what the medium has */
	int fd, direct; /* -1: closed; `direct` reads past the page cache */
	void *ctx;      /* a member's own */
};

#define MUE_INSTALLER_ALIGN 4096 /* buffers and offsets of read that go past the cache */

extern const struct mue_installer_ops mue_installer_image, mue_installer_block;

/* Every member that opens a path, ended by NULL. */
extern const struct mue_installer_ops *const mue_installers[];

/* Chooses the member for `path`: a block device, or an image file (also one that is not there
 * yet).  MUE_EPROFILE: another kind of file.  The path is copied. */
int mue_installer_init(struct mue_installer *i, const char *path, uint64_t limit,
		       struct mue_error *e);

/* True when both paths name one medium (same device node or same inode). */
bool mue_installer_same(const char *a, const char *b);

#endif
