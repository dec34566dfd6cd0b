/*
 * ui.h - the operator's page, built into the program.
 *
 * The page is made by Vite from ui/ (scripts/ui.sh) and packed by server/ui/pack.py into a table of
 * files; where it was not built, the table holds one small page that says how to build it.  It uses
 * only the public API: everything here is the same for everybody, so nobody need sign in to read
 * it.
 */
#ifndef MUE_SERVER_UI_UI_H
#define MUE_SERVER_UI_UI_H

#include "server/http/router.h"

#include <stddef.h>

struct mue_ui_file {
	const char *name; /* "index.html", "index-1a2b3c4d.js" */
	const char *type; /* media type */
	const char *etag; /* of the plain bytes, without quotes */
	const unsigned char *plain, *gzip;
	size_t plain_len, gzip_len;
};

/* Generated; ended by a line whose name is NULL.  index.html is always there. */
extern const struct mue_ui_file mue_ui_files[];

/* GET / and GET /ui/{file}; ended by a line of NULLs. */
extern const struct mue_route mue_routes_ui[];

#endif
