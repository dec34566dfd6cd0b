/* payload.c - the two parts of `mue pack` that deal with one component. */
#include "cli/opt.h"
#include "cli/pack.h"
#include "host/file.h"
#include "host/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KINDS "os|firmware|application|config|library|driver"

bool mue_name_ok(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n < 64 && name[0] != '.' && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-") ==
		       n;
}

/* Takes ",version=V" or ",slot=N" off the end of a->file; *ret_more: there was one. */
static int take_attribute(const char *text, struct mue_component_arg *a, bool *ret_more,
			  struct mue_error *e)
{
	char *comma = strrchr(a->file, ',');
	uint64_t slot;

	*ret_more = false;
	if (!comma)
		return MUE_OK;
	if (strncmp(comma, ",version=", 9) == 0) {
		if (strlen(comma + 9) == 0 || strlen(comma + 9) >= sizeof(a->version))
			return mue_fail(e, MUE_EINVAL,
					"--component %s: version= wants 1 to 63 bytes", text);
		snprintf(a->version, sizeof(a->version), "%s", comma + 9);
	} else if (strncmp(comma, ",slot=", 6) == 0) {
		if (mue_opt_number(comma + 6, 0, 255, &slot) < 0)
			return mue_fail(e, MUE_EINVAL, "--component %s: slot= wants 0 to 255",
					text);
		a->slot = (int)slot;
	} else {
		return MUE_OK; /* a comma of the file's name */
	}
	*comma = 0;
	*ret_more = true;
	return MUE_OK;
}

int mue_component_parse(const char *text, struct mue_component_arg *ret, struct mue_error *e)
{
	const char *colon = strchr(text, ':'), *equal = colon ? strchr(colon, '=') : NULL;
	struct mue_component_arg a = { .slot = -1 };
	bool more = true;

	if (!equal || !equal[1])
		return mue_fail(
			e, MUE_EINVAL,
			"--component wants KIND:NAME=FILE, e.g. os:rootfs=rootfs.img, not \"%s\"",
			text);
	snprintf(a.kind, sizeof(a.kind), "%.*s", (int)(colon - text), text);
	if ((size_t)(colon - text) >= sizeof(a.kind) || !mue_opt_is_choice(KINDS, a.kind))
		return mue_fail(e, MUE_EINVAL, "--component %s: its kind is one of %s", text,
				KINDS);
	snprintf(a.name, sizeof(a.name), "%.*s", (int)(equal - colon - 1), colon + 1);
	if ((size_t)(equal - colon - 1) >= sizeof(a.name) || !mue_name_ok(a.name))
		return mue_fail(e, MUE_EINVAL,
				"--component %s: its name is 1 to 63 letters, digits and . _ + -",
				text);
	if (strlen(equal + 1) >= sizeof(a.file))
		return mue_fail(e, MUE_EINVAL, "--component: path too long");
	snprintf(a.file, sizeof(a.file), "%s", equal + 1);
	while (more) {
		int r = take_attribute(text, &a, &more, e);

		if (r < 0)
			return r;
	}
	*ret = a;
	return MUE_OK;
}

struct copy {
	int in, out;
	const char *from, *to;
	struct mue_hash hash;
	uint64_t size;
};

static int copy_all(struct copy *c, struct mue_error *e)
{
	enum { PIECE = 1 << 18 };
	unsigned char *buf = malloc(PIECE);
	int r = buf ? MUE_OK : mue_fail(e, MUE_ENOMEM, "out of memory");

	while (r == MUE_OK) {
		ssize_t n = read(c->in, buf, PIECE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = mue_fail_errno(e, "cannot read %s", c->from);
		if (n <= 0)
			break;
		mue_hash_update(&c->hash, buf, (size_t)n);
		c->size += (uint64_t)n;
		if (c->out >= 0) {
			r = mue_fd_write(c->out, buf, (size_t)n, e);
			if (r < 0)
				mue_prefix(e, "%s", c->to);
		}
	}
	free(buf);
	return r;
}

static int open_image(const char *path, int *ret_fd, struct mue_error *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return mue_fail_errno(e, "cannot open %s", path);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
		close(fd);
		return mue_fail(e, MUE_EINVAL, "%s is not a file with content: an image is needed",
				path);
	}
	*ret_fd = fd;
	return MUE_OK;
}

/* Hash, and unless it is linked, copy into `tmp`; durable. */
static int fill(struct copy *c, const char *tmp, bool hard_link, struct mue_error *e)
{
	int r;

	if (hard_link && link(c->from, tmp) != 0)
		return mue_fail_errno(e,
				      "cannot link %s into the folder of %s (without --link it is "
				      "copied)",
				      c->from, c->to);
	if (!hard_link) {
		c->out = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (c->out < 0)
			return mue_fail_errno(e, "cannot create %s", tmp);
	}
	r = copy_all(c, e);
	if (r == MUE_OK && c->out >= 0 && fsync(c->out) != 0)
		r = mue_fail_errno(e, "cannot write %s", c->to);
	return r;
}

int mue_payload_place(const char *from, const char *to, bool hard_link, uint8_t ret_digest[32],
		      uint64_t *ret_size, struct mue_error *e)
{
	struct copy c = { .in = -1, .out = -1, .from = from, .to = to };
	char tmp[4096 + 32];
	int r = open_image(from, &c.in, e);

	if (r < 0)
		return r;
	r = mue_hash_init(&c.hash, MUE_HASH_SHA256);
	if (r < 0) {
		mue_fd_close(&c.in);
		return mue_fail(e, r, "out of memory");
	}
	snprintf(tmp, sizeof(tmp), "%s.%ld.tmp", to, (long)getpid());
	unlink(tmp); /* of an earlier process with this number: nobody else writes this name */
	r = fill(&c, tmp, hard_link, e);
	mue_fd_close(&c.out);
	mue_fd_close(&c.in);
	if (r == MUE_OK)
		r = mue_file_rename(tmp, to, e);
	unlink(tmp); /* also when both names are links of one file: rename leaves them then */
	if (r < 0) {
		mue_hash_drop(&c.hash);
		return r;
	}
	mue_hash_final(&c.hash, ret_digest);
	*ret_size = c.size;
	return MUE_OK;
}
