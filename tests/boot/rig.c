#include "tests/boot/rig.h"

#include "host/hash.h"
#include "host/release.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int complain(const struct mue_error *e)
{
	fprintf(stderr, "rig: %s\n", e->text);
	return -1;
}

int rig_open(struct rig *r)
{
	struct mue_key_params params;
	struct mue_pass_source pass = { NULL, NULL };
	struct mue_error e = { 0 };
	char path[128];

	memset(r, 0, sizeof(*r));
	setenv("MUE_PASSPHRASE", "a test's key", 1);
	strcpy(r->folder, "/tmp/mue-rig-XXXXXX");
	if (!mkdtemp(r->folder))
		return -1;
	snprintf(path, sizeof(path), "%s/key", r->folder);
	mue_key_params_default(&params, MUE_KEY_LMS);
	params.lms.h = 5;
	if (mue_key_new(path, &params, &pass, NULL, NULL, &e) < 0 ||
	    mue_key_open(path, &pass, &r->key, &e) < 0 ||
	    mue_release_vendor_id("example.com", r->vendor, &e) < 0 ||
	    mue_release_class_id(r->vendor, "sensor", r->class_id, &e) < 0)
		return complain(&e);
	return 0;
}

void rig_close(struct rig *r)
{
	char command[128];

	if (r->key)
		mue_key_close(r->key);
	snprintf(command, sizeof(command), "rm -rf '%s'", r->folder);
	if (r->folder[0] && system(command) != 0)
		fprintf(stderr, "rig: %s stays\n", r->folder);
}

int rig_envelope(struct rig *r, const struct rig_release *rel, struct mue_buf *ret)
{
	struct mue_release_component c = { .kind = "firmware",
					   .name = "app",
					   .uri = "app.bin",
					   .size = rel->size,
					   .slot = rel->slot };
	struct mue_release release = { .name = "app",
				       .version = "1",
				       .sequence = rel->sequence,
				       .counter = rel->counter,
				       .mcu = true,
				       .components = &c,
				       .count = 1 };
	struct mue_buf plain = { .max = 65536 }, full = { .max = 65536 };
	struct mue_release_signer signer = mue_release_key_signer(r->key);
	struct mue_error e = { 0 };
	int err;

	mue_hash_sha256(rel->image, rel->size, c.digest);
	memcpy(release.vendor, r->vendor, 16);
	memcpy(release.class_id, r->class_id, 16);
	release.vendor[0] ^= rel->other_vendor;
	release.class_id[0] ^= rel->other_class;
	err = mue_release_build(&release, &plain, &e);
	if (err == 0 && rel->unsigned_)
		err = mue_buf_add(&full, plain.data, plain.len);
	else if (err == 0)
		err = mue_release_sign((struct mue_view){ plain.data, plain.len }, &signer, &full,
				       &e);
	if (err == 0)
		err = mue_release_strip((struct mue_view){ full.data, full.len }, ret, &e);
	mue_buf_free(&plain);
	mue_buf_free(&full);
	return err < 0 ? complain(&e) : 0;
}
