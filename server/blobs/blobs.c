#include "server/blobs/blobs.h"

#include "host/file.h"
#include "host/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 96 }; /* what stands after the folder's name */

struct mue_blobs {
	char *folder;
	atomic_uint number; /* of the next temporary file */
};

struct mue_blob_writer {
	struct mue_blobs *blobs;
	int fd;
	char *path; /* of the temporary file */
	struct mue_hash hash[3];
	uint64_t size;
	struct mue_blob_info info;
	int finished;
};

static char *path_of(const struct mue_blobs *b, const char *sha256)
{
	char *path = malloc(strlen(b->folder) + PATH_ROOM);

	if (path)
		sprintf(path, "%s/%.2s/%s", b->folder, sha256, sha256 + 2);
	return path;
}

/* What a killed server left half written. */
static void empty_tmp(const char *tmp)
{
	struct dirent *entry;
	DIR *dir = opendir(tmp);

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
}

int mue_blobs_open(const char *folder, struct mue_blobs **ret, struct mue_error *e)
{
	struct mue_blobs *b = calloc(1, sizeof *b);
	char *tmp = malloc(strlen(folder) + PATH_ROOM);
	int r = MUE_ENOMEM;

	if (!b || !tmp || !(b->folder = strdup(folder))) {
		r = mue_fail(e, MUE_ENOMEM, "out of memory");
		goto out;
	}
	sprintf(tmp, "%s/tmp", folder);
	r = mue_file_mkdirs(tmp, 0700, e);
	if (r == 0)
		empty_tmp(tmp);
out:
	free(tmp);
	if (r < 0)
		mue_blobs_close(b);
	else
		*ret = b;
	return r;
}

void mue_blobs_close(struct mue_blobs *b)
{
	if (b)
		free(b->folder);
	free(b);
}

int mue_blob_begin(struct mue_blobs *b, struct mue_blob_writer **ret, struct mue_error *e)
{
	static const enum mue_hash_kind kinds[] = { MUE_HASH_SHA256, MUE_HASH_SHA1, MUE_HASH_MD5 };
	struct mue_blob_writer *w = calloc(1, sizeof *w);
	int r = 0;

	if (!w)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	w->blobs = b;
	w->fd = -1;
	w->path = malloc(strlen(b->folder) + PATH_ROOM);
	for (unsigned i = 0; i < 3 && r == 0; i++)
		r = mue_hash_init(&w->hash[i], kinds[i]);
	if (!w->path || r < 0) {
		mue_blob_abort(w);
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	}
	sprintf(w->path, "%s/tmp/%u.%u", b->folder, (unsigned)getpid(),
		atomic_fetch_add(&b->number, 1));
	w->fd = open(w->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (w->fd < 0) {
		r = mue_fail_errno(e, "cannot make %s", w->path);
		free(w->path);
		w->path = NULL; /* not ours to remove */
		mue_blob_abort(w);
		return r;
	}
	*ret = w;
	return 0;
}

int mue_blob_write(struct mue_blob_writer *w, const void *data, size_t len, struct mue_error *e)
{
	int r = mue_fd_write(w->fd, data, len, e);

	if (r < 0)
		return mue_prefix(e, "artifact store");
	for (unsigned i = 0; i < 3; i++)
		mue_hash_update(&w->hash[i], data, len);
	w->size += len;
	return 0;
}

static void final_hex(struct mue_hash *h, char *ret)
{
	size_t size = mue_hash_size(h->kind);
	uint8_t digest[MUE_HASH_MAX];

	mue_hash_final(h, digest);
	mue_hex(digest, size, ret);
}

int mue_blob_finish(struct mue_blob_writer *w, struct mue_blob_info *ret, struct mue_error *e)
{
	if (fsync(w->fd) < 0)
		return mue_fail_errno(e, "artifact store: fsync of %s", w->path);
	final_hex(&w->hash[0], w->info.sha256);
	final_hex(&w->hash[1], w->info.sha1);
	final_hex(&w->hash[2], w->info.md5);
	w->info.size = w->size;
	w->finished = 1;
	*ret = w->info;
	return 0;
}

int mue_blob_fd(const struct mue_blob_writer *w)
{
	return w->fd;
}

/* The folder of two hex digits; its name must survive a power cut before a blob in it counts. */
static int make_folder(const char *path, struct mue_error *e)
{
	char *folder = strdup(path);
	int r = 0;

	if (!folder)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	*strrchr(folder, '/') = '\0';
	if (!mue_file_exists(folder)) {
		r = mue_file_mkdirs(folder, 0700, e);
		if (r == 0)
			r = mue_file_sync_dir(folder, e);
	}
	free(folder);
	return r;
}

int mue_blob_commit(struct mue_blob_writer *w, struct mue_error *e)
{
	char *path = w->finished ? path_of(w->blobs, w->info.sha256) : NULL;
	int r;

	if (!path)
		r = mue_fail(e, MUE_EINVAL, "blob not finished");
	else if ((r = make_folder(path, e)) == 0)
		r = mue_file_rename(w->path, path, e);
	if (r == 0) {
		free(w->path);
		w->path = NULL;
	}
	free(path);
	mue_blob_abort(w);
	return r;
}

void mue_blob_abort(struct mue_blob_writer *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < 3; i++)
		mue_hash_drop(&w->hash[i]);
	if (w->fd >= 0)
		close(w->fd);
	if (w->path)
		unlink(w->path);
	free(w->path);
	free(w);
}

static int check_name(const char *sha256, struct mue_error *e)
{
	uint8_t digest[32];

	if (strlen(sha256) != 64 || !mue_unhex(sha256, digest, sizeof digest))
		return mue_fail(e, MUE_EINVAL, "not a SHA-256: %.80s", sha256);
	return 0;
}

int mue_blob_open(struct mue_blobs *b, const char *sha256, int *ret_fd, uint64_t *ret_size,
		  struct mue_error *e)
{
	char *path = NULL;
	struct stat st;
	int fd, r = check_name(sha256, e);

	if (r < 0)
		return r;
	path = path_of(b, sha256);
	if (!path)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		r = mue_fail_errno(e, "artifact %s", sha256);
		if (fd >= 0)
			close(fd);
	} else {
		*ret_fd = fd;
		*ret_size = (uint64_t)st.st_size;
	}
	free(path);
	return r;
}

int mue_blob_remove(struct mue_blobs *b, const char *sha256, struct mue_error *e)
{
	char *path = NULL;
	int r = check_name(sha256, e);

	if (r < 0)
		return r;
	path = path_of(b, sha256);
	if (!path)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	r = mue_file_remove(path, e);
	free(path);
	return r;
}
