/*
 * blobs.h - artifacts on disk, each once, named by its SHA-256: blobs/ab/cdef....
 *
 * A blob is written to tmp/, fsynced, then renamed into place and the folder fsynced: it is whole
 * or absent, also after a power cut.  Blobs never change; equal content is stored once.
 */
#ifndef MUE_SERVER_BLOBS_BLOBS_H
#define MUE_SERVER_BLOBS_BLOBS_H

#include "host/err.h"

#include <stddef.h>
#include <stdint.h>

struct mue_blobs;
struct mue_blob_writer;

struct mue_blob_info {
	uint64_t size;
	char sha256[65], sha1[41], md5[33]; /* lower case hex */
};

/* Makes `folder` when missing and empties its tmp/. */
int mue_blobs_open(const char *folder, struct mue_blobs **ret, struct mue_error *e);
void mue_blobs_close(struct mue_blobs *b);

int mue_blob_begin(struct mue_blobs *b, struct mue_blob_writer **ret, struct mue_error *e);
int mue_blob_write(struct mue_blob_writer *w, const void *data, size_t len, struct mue_error *e);
/* All bytes are in: durable and digests known, not yet visible under its name. */
int mue_blob_finish(struct mue_blob_writer *w, struct mue_blob_info *ret, struct mue_error *e);
/* A descriptor (the writer's own) to read back what was written, for checks before commit. */
int mue_blob_fd(const struct mue_blob_writer *w);
/* After finish: visible under its digest.  Frees the writer also on failure. */
int mue_blob_commit(struct mue_blob_writer *w, struct mue_error *e);
/* Throws it away; NULL is allowed. */
void mue_blob_abort(struct mue_blob_writer *w);

/* Opens a blob for reading.  MUE_ENOTFOUND. */
int mue_blob_open(struct mue_blobs *b, const char *sha256, int *ret_fd, uint64_t *ret_size,
		  struct mue_error *e);
/* Removes it; removing what is absent succeeds. The caller knows that no artifact names it any
 * more. */
int mue_blob_remove(struct mue_blobs *b, const char *sha256, struct mue_error *e);

#endif
