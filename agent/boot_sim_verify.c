#include "agent/boot_sim.h"

#include "core/bootstate.h"
#include "core/suit.h"
#include "host/bootname.h"
#include "host/file.h"
#include "host/hash.h"
#include "host/release.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ENVELOPE_MAX (1u << 20)
#define PIECE        65536

/* The component that is the slot's image: the system or the firmware, else the first. */
static const struct mue_suit_component *image_of(const struct mue_suit_info *info)
{
	static const char *const kinds[] = { "os", "firmware" };

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (uint8_t i = 0; i < info->component_count; i++) {
			const struct mue_view *kind = &info->component[i].kind;

			if (kind->len == strlen(kinds[k]) &&
			    !memcmp(kind->data, kinds[k], kind->len))
				return &info->component[i];
		}
	return &info->component[0];
}

/* Copies the first `size` bytes and hashes what it copied. */
static int copy_hashed(int from, int to, uint64_t size, const uint8_t *digest, struct mue_error *e)
{
	struct mue_hash h = { 0 };
	uint8_t piece[PIECE], got[MUE_HASH_MAX];
	uint64_t off;
	int r = mue_hash_init(&h, MUE_HASH_SHA256);

	if (r < 0)
		return mue_fail(e, r, "cannot start a digest");
	for (off = 0; off < size; off += sizeof(piece)) {
		size_t n = size - off < sizeof(piece) ? (size_t)(size - off) : sizeof(piece);

		r = mue_fd_pread(from, off, piece, n, e);
		if (r == 0)
			r = mue_fd_write(to, piece, n, e);
		if (r < 0) {
			mue_hash_drop(&h);
			return r;
		}
		mue_hash_update(&h, piece, n);
	}
	mue_hash_final(&h, got);
	if (memcmp(got, digest, MUE_SUIT_DIGEST_SIZE) != 0)
		return mue_fail(e, MUE_EDIGEST, "the image's digest differs from the manifest's");
	return 0;
}

/* A nameless file in the root's file system, or in memory where that has none. */
static int private_file(const char *folder)
{
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd >= 0 ? fd : memfd_create("image", MFD_CLOEXEC);
}

static int copy_image(const struct mue_boot_sim *m, uint8_t slot,
		      const struct mue_suit_component *c, int *ret_image, struct mue_error *e)
{
	int r, to, from;

	if (!c->params.digest.data || c->params.digest.len != MUE_SUIT_DIGEST_SIZE ||
	    !c->params.has_size)
		return mue_fail(e, MUE_EPROFILE, "the manifest names no size and digest");
	from = open(m->slot[slot], O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return mue_fail_errno(e, "%s", m->slot[slot]);
	to = private_file(m->root);
	if (to < 0) {
		r = mue_fail_errno(e, "%s: no room for the image", m->root);
	} else {
		r = copy_hashed(from, to, c->params.size, c->params.digest.data, e);
		if (r < 0)
			close(to);
		else
			*ret_image = to;
	}
	close(from);
	return r;
}

static int check_release(const struct mue_boot_sim *m, uint8_t slot, uint32_t floor,
			 struct mue_view envelope, int *ret_image, uint64_t *ret_sequence,
			 struct mue_error *e)
{
	struct mue_suit_info info;
	struct mue_suit suit;
	int r = mue_release_verify(envelope, &m->trust, &suit, NULL, e);

	if (r < 0)
		return r;
	r = mue_suit_describe(&suit, &info);
	if (r < 0)
		return mue_fail(e, r, "the manifest cannot be described");
	if (info.counter < floor)
		return mue_fail(e, MUE_ECOUNTER, "security counter %u, the floor is %u",
				info.counter, floor);
	r = copy_image(m, slot, image_of(&info), ret_image, e);
	if (r == 0)
		*ret_sequence = info.sequence_number;
	return r;
}

int mue_boot_sim_verify(const struct mue_boot_sim *m, uint8_t slot, uint32_t floor, int *ret_image,
			uint64_t *ret_sequence, struct mue_error *e)
{
	struct mue_buf envelope = { .max = ENVELOPE_MAX };
	char path[4096];
	int r;

	if (slot > MUE_SLOT_B)
		return mue_fail(e, MUE_ENOTFOUND, "no such slot");
	snprintf(path, sizeof(path), "%s/%s.suit", m->envelopes, mue_slot_name(slot));
	r = mue_file_read(path, &envelope, e);
	if (r == 0)
		r = check_release(m, slot, floor, (struct mue_view){ envelope.data, envelope.len },
				  ret_image, ret_sequence, e);
	mue_buf_free(&envelope);
	return r;
}
