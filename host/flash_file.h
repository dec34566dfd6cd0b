/*
 * flash_file.h - struct mue_flash kept in a file: the boot state of hosted devices.
 *
 * Two erase blocks of 4096 bytes, program unit 1, erased value 0xff.  Every write and erase is
 * pwrite + fdatasync: durable when it returns.  A missing or short file is made and filled with
 * 0xff.  Opening takes an advisory lock (flock) per call of mue_flash_file_lock, so that the
 * loader and the agent do not interleave load and store.
 */
#ifndef MUE_HOST_FLASH_FILE_H
#define MUE_HOST_FLASH_FILE_H

#include "core/flash.h"
#include "host/err.h"

#define MUE_FLASH_FILE_BLOCK 4096

struct mue_flash_file {
	struct mue_flash flash; /* hand &ff->flash to core */
	int fd;
};

/* Opens or makes `path`.  MUE_EIO, MUE_EPERM, MUE_ENOTFOUND with a sentence in *e. */
int mue_flash_file_open(struct mue_flash_file *ff, const char *path, struct mue_error *e);

/* Holds other processes off until unlock or close; blocks. */
int mue_flash_file_lock(struct mue_flash_file *ff, struct mue_error *e);
void mue_flash_file_unlock(struct mue_flash_file *ff);

void mue_flash_file_close(struct mue_flash_file *ff);

#endif
