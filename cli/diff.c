/* diff.c - `mue diff`: the patch from one image to the next. */
#include "cli/term.h"
#include "delta/delta.h"
#include "host/file.h"

#include <stdlib.h>
#include <string.h>

enum { IMAGE_MAX = INT32_MAX };

struct diff_opts {
	const char *output, *isa, *also_old, *also_new;
	uint64_t old_base, new_base, blocks;
	bool explain;
};

static const struct mue_opt table[] = {
	{ .name = "output",
	  .letter = 'o',
	  .kind = MUE_OPT_FILE,
	  .at = offsetof(struct diff_opts, output),
	  .value = "PATCH",
	  .help = "write the patch here",
	  .required = true },
	{ .name = "isa",
	  .kind = MUE_OPT_CHOICE,
	  .at = offsetof(struct diff_opts, isa),
	  .value = "NAME",
	  .choices = "auto|plain|avr|thumb|arm32|arm64|riscv|x86-64",
	  .help = "the images' instruction set; auto (the default) tries those that may fit" },
	{ .name = "old-base",
	  .kind = MUE_OPT_NUMBER,
	  .at = offsetof(struct diff_opts, old_base),
	  .value = "ADDRESS",
	  .max = UINT32_MAX,
	  .help = "address of OLD's first byte on the device; found by itself when not given" },
	{ .name = "new-base",
	  .kind = MUE_OPT_NUMBER,
	  .at = offsetof(struct diff_opts, new_base),
	  .value = "ADDRESS",
	  .max = UINT32_MAX,
	  .help = "address of NEW's first byte; OLD's when not given" },
	{ .name = "blocks",
	  .kind = MUE_OPT_NUMBER,
	  .at = offsetof(struct diff_opts, blocks),
	  .value = "N",
	  .max = UINT16_MAX,
	  .help = "entries of the copy map that the device has room for (12 bytes each)" },
	{ .name = "also-old",
	  .kind = MUE_OPT_FILE,
	  .at = offsetof(struct diff_opts, also_old),
	  .value = "FILE",
	  .help = "OLD linked for the other slot: one patch then serves both" },
	{ .name = "also-new",
	  .kind = MUE_OPT_FILE,
	  .at = offsetof(struct diff_opts, also_new),
	  .value = "FILE",
	  .help = "NEW linked for the slot that goes with --also-old" },
	{ .name = "explain",
	  .kind = MUE_OPT_FLAG,
	  .at = offsetof(struct diff_opts, explain),
	  .help = "show where the bytes went" },
	{ .name = NULL },
};

struct images {
	struct mue_buf old, new, also_old, also_new;
};

static struct mue_span span(const struct mue_buf *b)
{
	struct mue_span s = { b->data, b->len };

	return s;
}

static void draw(void *ctx, unsigned permille)
{
	mue_progress_update(ctx, permille);
}

static int isa_id(const char *name)
{
	for (int i = 0; name && i <= MUE_DELTA_X86_64; i++)
		if (strcmp(name, mue_delta_isa_name(i)) == 0)
			return i;
	return MUE_DIFF_AUTO;
}

static int read_images(const struct diff_opts *o, const struct mue_strings *args, struct images *m,
		       struct mue_error *e)
{
	int r = mue_file_read(args->v[0], &m->old, e);

	if (r == MUE_OK)
		r = mue_file_read(args->v[1], &m->new, e);
	if (r == MUE_OK && o->also_old)
		r = mue_file_read(o->also_old, &m->also_old, e);
	if (r == MUE_OK && o->also_new)
		r = mue_file_read(o->also_new, &m->also_new, e);
	return r;
}

static int make(struct mue_cli *cli, const struct diff_opts *o, const struct mue_strings *args,
		const struct images *m, struct mue_diff_result *ret, struct mue_error *e)
{
	struct mue_progress bar;
	struct mue_diff_options options = {
		.isa = isa_id(o->isa),
		.bases_given = o->old_base || o->new_base,
		.old_base = (uint32_t)o->old_base,
		.new_base = (uint32_t)(o->new_base ? o->new_base : o->old_base),
		.blocks_max = (uint16_t)o->blocks,
		.also_old = span(&m->also_old),
		.also_new = span(&m->also_new),
		.progress = draw,
		.progress_ctx = &bar,
		.explain = o->explain ? cli->out : NULL,
	};
	char size[16];
	int r;

	mue_progress_begin(&bar, cli, 1000, "diff %s", args->v[1]);
	r = mue_diff(span(&m->old), span(&m->new), &options, ret, e);
	if (r < 0) {
		mue_progress_drop(&bar);
		return r;
	}
	mue_progress_end(&bar, "%s: %zu bytes, %.1f %% of %s (%s)", o->output, ret->len,
			 m->new.len ? 100.0 * (double)ret->len / (double)m->new.len : 100.0,
			 mue_term_size(m->new.len, size), mue_delta_isa_name(ret->isa));
	return MUE_OK;
}

static int run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
	       struct mue_error *e)
{
	const struct diff_opts *o = opts;
	struct images m = { { .max = IMAGE_MAX },
			    { .max = IMAGE_MAX },
			    { .max = IMAGE_MAX },
			    { .max = IMAGE_MAX } };
	struct mue_diff_result result = { 0 };
	int r = MUE_OK;

	if (!o->also_old != !o->also_new)
		r = mue_fail(e, MUE_EINVAL, "--also-old and --also-new go together");
	if (r == MUE_OK)
		r = read_images(o, args, &m, e);
	if (r == MUE_OK)
		r = make(cli, o, args, &m, &result, e);
	if (r == MUE_OK)
		r = mue_file_write(o->output, result.patch, result.len, 0644, e);
	free(result.patch);
	mue_buf_free(&m.old);
	mue_buf_free(&m.new);
	mue_buf_free(&m.also_old);
	mue_buf_free(&m.also_new);
	return r;
}

const struct mue_cmd mue_cmd_diff = {
	.name = "diff",
	.args = "OLD NEW",
	.summary = "make the patch that turns one image into the next",
	.more = "Branches, pointers and addresses that only moved cost nothing: the device works "
		"out\n"
		"where they go.  The patch is decoded with the device's own code and compared "
		"with\n"
		"NEW before it is written.\n",
	.examples =
		"  $ mue diff firmware-1.0.bin firmware-1.1.bin -o 1.0-1.1.mdp --explain\n"
		"  $ mue diff a-1.0.bin b-1.1.bin --also-old b-1.0.bin --also-new a-1.1.bin -o p\n",
	.arg_words = "@file",
	.opts = table,
	.opts_size = sizeof(struct diff_opts),
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
