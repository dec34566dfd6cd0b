/*
 * unpack.h - images full of zlib streams (squashfs with gzip, and others) as what is in the
 * streams.
 *
 * The streams of old are found by the applier itself, those of new are listed in the patch: each
 * one was packed again at encoding time and came back bit for bit, else it stays as it is.
 * zlib streams: RFC 1950.  Format: docs/FORMATS.md, section "Delta".
 */
#ifndef MUE_DELTA_UNPACK_H
#define MUE_DELTA_UNPACK_H

#include "delta/delta.h"

/* A stream in the unpacked image: `gap` bytes as they were before it, then `len` unpacked ones. */
struct mue_stream {
	uint32_t gap, len;
	uint8_t level; /* of deflate, 1..9; 0 where nobody asked */
};

struct mue_unpacked {
	uint8_t *data;
	size_t len, room;
	struct mue_stream *streams;
	size_t n, streams_room;
	size_t packed; /* bytes that the streams had in the image */
};

/* Unpacks every stream of at least MUE_STREAM_MIN bytes; with `prove` only those that can be packed
 * again bit for bit.  MUE_ENOMEM, MUE_ESIZE: 2 GiB or more come out. */
int mue_unpack(struct mue_span image, bool prove, struct mue_unpacked *ret, struct mue_error *e);
void mue_unpacked_free(struct mue_unpacked *u);

/* The image again; *ret is the caller's.  MUE_EFORMAT: the list does not fit. */
int mue_repack(const struct mue_unpacked *u, uint8_t **ret, size_t *ret_len, struct mue_error *e);

/* Whether unpacking is worth it: the streams are a good part of the image. */
bool mue_unpack_pays(const struct mue_unpacked *u, size_t image_len);

/* Patches around an inner patch between unpacked images. */
bool mue_is_unpacked_patch(struct mue_span patch);
int mue_wrap(struct mue_span old, struct mue_span new, const struct mue_unpacked *u,
	     struct mue_span inner, uint8_t **ret, size_t *ret_len, struct mue_error *e);
int mue_patch_unpacked(struct mue_span old, struct mue_span patch, uint8_t **ret_new,
		       size_t *ret_len, struct mue_error *e);

#endif
