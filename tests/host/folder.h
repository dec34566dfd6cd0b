/*
 * folder.h - a temporary folder for one test program: make_folder and remove_folder are the group's
 * setup and teardown.
 */
#ifndef MUE_TESTS_HOST_FOLDER_H
#define MUE_TESTS_HOST_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[64];

/* A path in the folder; it holds until the fourth call after this one. */
static inline char *in_folder(const char *name)
{
	static char path[4][256];
	static unsigned turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", folder, name);
	return p;
}

static inline int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/mue-test-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

#endif
