/* patch.c - `mue patch`: applies what `mue diff` made, with the code that runs on devices. */
#include "cli/term.h"
#include "delta/delta.h"
#include "host/file.h"

#include <stdlib.h>

struct patch_opts {
	const char *output;
};

static const struct mue_opt table[] = {
	{ .name = "output",
	  .letter = 'o',
	  .kind = MUE_OPT_FILE,
	  .at = offsetof(struct patch_opts, output),
	  .value = "NEW",
	  .help = "write the new image here",
	  .required = true },
	{ .name = NULL },
};

static int run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
	       struct mue_error *e)
{
	const struct patch_opts *o = opts;
	struct mue_buf old = { .max = INT32_MAX }, patch = { .max = INT32_MAX };
	uint8_t *new = NULL;
	char size[16];
	size_t len = 0;
	int r = mue_file_read(args->v[0], &old, e);

	if (r == MUE_OK)
		r = mue_file_read(args->v[1], &patch, e);
	if (r == MUE_OK) {
		struct mue_span from = { old.data, old.len }, with = { patch.data, patch.len };

		r = mue_patch(from, with, &new, &len, e);
		if (r < 0)
			mue_prefix(e, "%s", args->v[1]);
	}
	if (r == MUE_OK)
		r = mue_file_write(o->output, new, len, 0644, e);
	if (r == MUE_OK)
		fprintf(cli->out, "%s: %s, digest right\n", o->output, mue_term_size(len, size));
	free(new);
	mue_buf_free(&old);
	mue_buf_free(&patch);
	return r;
}

const struct mue_cmd mue_cmd_patch = {
	.name = "patch",
	.args = "OLD PATCH",
	.summary = "apply a patch",
	.more = "Refuses an OLD that is not the image the patch was made from, and a NEW whose "
		"digest\n"
		"is not the one the patch names.\n",
	.examples = "  $ mue patch firmware-1.0.bin 1.0-1.1.mdp -o firmware-1.1.bin\n",
	.arg_words = "@file",
	.opts = table,
	.opts_size = sizeof(struct patch_opts),
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
