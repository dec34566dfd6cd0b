#include "agent/release_check.h"

#include "core/bootstate.h"
#include "host/file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

int mue_device_ids(const struct mue_config *c, struct mue_device *ret, struct mue_error *e)
{
	int r = 0;

	if (mue_uuid_parse(c->vendor, ret->vendor) < 0)
		r = mue_release_vendor_id(c->vendor, ret->vendor, e);
	if (r == 0 && mue_uuid_parse(c->class_, ret->class_id) < 0)
		r = mue_release_class_id(ret->vendor, c->class_, ret->class_id, e);
	return r;
}

/* A text of the manifest as a C string: printable bytes only, cut when too long. */
static void copy_text(struct mue_view v, char *ret, size_t ret_size)
{
	size_t n = 0;

	for (size_t i = 0; i < v.len && n + 1 < ret_size; i++)
		ret[n++] = isprint(v.data[i]) ? (char)v.data[i] : '?';
	ret[n] = 0;
}

void mue_release_facts(const struct mue_suit_info *info, struct mue_release_facts *ret)
{
	const struct mue_suit_component *c = &info->component[0];

	memset(ret, 0, sizeof(*ret));
	memcpy(ret->digest, info->digest, sizeof(ret->digest));
	ret->sequence = info->sequence_number;
	ret->counter = info->counter;
	ret->size = c->params.has_size ? c->params.size : 0;
	if (c->params.digest.len == sizeof(ret->image))
		memcpy(ret->image, c->params.digest.data, sizeof(ret->image));
	copy_text(info->version.data ? info->version : c->version, ret->version,
		  sizeof(ret->version));
}

static int check_ids(const struct mue_suit_info *info, const struct mue_device *d,
		     struct mue_error *e)
{
	char theirs[37] = "none", ours[37];

	if (info->vendor.len != 16 || memcmp(info->vendor.data, d->vendor, 16) != 0) {
		if (info->vendor.len == 16)
			mue_uuid_text(info->vendor.data, theirs);
		mue_uuid_text(d->vendor, ours);
		return mue_fail(e, MUE_EVENDOR, "made for vendor %s, this device is of %s", theirs,
				ours);
	}
	if (info->class_id.len == 16 && memcmp(info->class_id.data, d->class_id, 16) == 0)
		return 0;
	if (info->class_id.len == 16)
		mue_uuid_text(info->class_id.data, theirs);
	mue_uuid_text(d->class_id, ours);
	return mue_fail(e, MUE_ECLASS, "made for class %s, this device is of %s", theirs, ours);
}

/* Whole-slot images only, so far: the other kinds get their installers in a later issue. */
static int check_component(const struct mue_suit_info *info, struct mue_error *e)
{
	const struct mue_suit_component *c = &info->component[0];
	char kind[32], name[64];

	for (uint8_t i = 0; i < info->component_count && i < MUE_SUIT_COMPONENTS_MAX; i++) {
		copy_text(info->component[i].kind, kind, sizeof(kind));
		copy_text(info->component[i].name, name, sizeof(name));
		if (strcmp(kind, "os") != 0 && strcmp(kind, "firmware") != 0)
			return mue_fail(
				e, MUE_EPROFILE,
				"component %s is of kind \"%s\": this agent installs os and "
				"firmware images into a slot",
				name, kind);
	}
	if (info->component_count != 1)
		return mue_fail(e, MUE_EPROFILE, "%u components: a slot holds one image",
				info->component_count);
	if (c->params.encryption.data)
		return mue_fail(e, MUE_EPROFILE,
				"component %s is encrypted: this agent has no content keys", name);
	if (!c->params.has_size || c->params.digest.len != 32)
		return mue_fail(e, MUE_EPROFILE, "component %s has no size or digest", name);
	return 0;
}

static int check_precursor(const struct mue_suit_info *info, const struct mue_device *d,
			   struct mue_error *e)
{
	struct mue_view p = info->component[0].params.precursor;

	if (!p.data || (d->known && p.len == 32 && memcmp(p.data, d->running.image, 32) == 0))
		return 0;
	return mue_fail(e, MUE_EPRECURSOR, "needs another image than the running one (%s) before",
			d->running.version);
}

int mue_release_fits(const struct mue_suit_info *info, const struct mue_device *d,
		     uint64_t slot_size, struct mue_error *e)
{
	int r = check_ids(info, d, e);

	if (r == 0)
		r = check_component(info, e);
	if (r < 0)
		return r;
	if (d->known && info->sequence_number <= d->running.sequence)
		return mue_fail(e, MUE_EOLD, "sequence %llu is not above the running %llu (%s)",
				(unsigned long long)info->sequence_number,
				(unsigned long long)d->running.sequence, d->running.version);
	if (info->counter < d->floor)
		return mue_fail(e, MUE_ECOUNTER,
				"security counter %u is below this device's rollback counter %u",
				info->counter, d->floor);
	if (info->counter > MUE_BOOTSTATE_LAST)
		return mue_fail(e, MUE_EEXHAUSTED, "security counter %u leaves no room",
				info->counter);
	if (slot_size && info->component[0].params.size > slot_size)
		return mue_fail(e, MUE_ESIZE, "the image has %llu bytes, the slot %llu",
				(unsigned long long)info->component[0].params.size,
				(unsigned long long)slot_size);
	return check_precursor(info, d, e);
}

/* The first word of a small file. */
static int read_word(const char *what, const char *path, char *ret, size_t ret_size,
		     struct mue_error *e)
{
	struct mue_buf b = { .max = 4096 };
	int r = mue_file_read(path, &b, e);
	size_t n;

	if (r == 0) {
		const char *text = mue_buf_str(&b);

		text += strspn(text, " \t\n");
		n = strcspn(text, " \t\r\n");
		snprintf(ret, ret_size, "%.*s", (int)(n < ret_size ? n : ret_size - 1), text);
	} else {
		mue_prefix(e, "%s", what);
	}
	mue_buf_free(&b);
	return r;
}

static int check_battery(const struct mue_config *c, uint8_t least, struct mue_error *e)
{
	char word[16], *end;
	unsigned long percent;

	if (least < c->battery_min)
		least = (uint8_t)c->battery_min;
	if (!*c->battery || least == 0)
		return 0; /* mains, or nobody cares */
	/* A battery that cannot be read is an empty one. */
	if (read_word("battery", c->battery, word, sizeof(word), e) < 0) {
		if (e)
			e->code = MUE_EBATTERY;
		return MUE_EBATTERY;
	}
	percent = strtoul(word, &end, 10);
	if (end == word || percent > 100 || percent < least)
		return mue_fail(e, MUE_EBATTERY, "the battery has %s %%, %u %% are needed", word,
				least);
	return 0;
}

/* Is `word` in the list, whose words are apart by blanks or commas? */
static bool listed(const char *list, const char *word)
{
	size_t n = strlen(word);

	while (*list) {
		size_t len;

		list += strspn(list, " ,\t");
		len = strcspn(list, " ,\t");
		if (len == n && len > 0 && memcmp(list, word, n) == 0)
			return true;
		list += len;
	}
	return false;
}

static int check_link(const struct mue_config *c, struct mue_error *e)
{
	char word[64];
	int r;

	if (!*c->link_allowed)
		return 0;
	snprintf(word, sizeof(word), "%.63s", c->link);
	if (strncmp(c->link, "file:", 5) == 0) {
		r = read_word("link", c->link + 5, word, sizeof(word), e);
		if (r < 0)
			return mue_fail(e, MUE_ELINK, "%s: the link's class is not known",
					c->link + 5);
	}
	if (listed(c->link_allowed, word))
		return 0;
	return mue_fail(e, MUE_ELINK, "link \"%s\" may carry no update, only: %.100s", word,
			c->link_allowed);
}

int mue_release_now(const struct mue_config *c, uint8_t battery_min, struct mue_error *e)
{
	struct statvfs v;
	int r = check_battery(c, battery_min, e);

	if (r == 0)
		r = check_link(c, e);
	if (r < 0)
		return r;
	if (statvfs(c->state, &v) < 0)
		return mue_fail_errno(e, "%s", c->state);
	if ((uint64_t)v.f_bavail * v.f_frsize < c->disk_min)
		return mue_fail(e, MUE_ENOSPC, "%s: %llu bytes free, %llu are needed", c->state,
				(unsigned long long)v.f_bavail * v.f_frsize,
				(unsigned long long)c->disk_min);
	return 0;
}

/* -1, 0, 1 as the running version is lower, equal, higher; a missing part counts as 0. */
static int compare_version(struct mue_cbor *numbers, size_t count, const char *have)
{
	int64_t want;

	for (size_t i = 0; i < count; i++) {
		unsigned long long mine;

		have += strcspn(have, "0123456789");
		errno = 0;
		mine = strtoull(have, NULL, 10);
		have += strspn(have, "0123456789");
		if (mue_cbor_int(numbers, &want) < 0 || want < 0 || errno)
			return -2;
		if (mine != (uint64_t)want)
			return mine < (uint64_t)want ? -1 : 1;
	}
	return 0;
}

int mue_release_version(struct mue_view want, const char *have, struct mue_error *e)
{
	/* draft-ietf-suit-update-management, "Version Match": >, >=, ==, <=, < */
	static const bool holds[6][3] = { { false, false, false }, { false, false, true },
					  { false, true, true },   { false, true, false },
					  { true, true, false },   { true, false, false } };
	struct mue_cbor c = mue_cbor_read(want);
	uint64_t how = 0;
	size_t n = 0;
	int order = -2;

	if (want.data && mue_cbor_array(&c, &n) == 0 && n == 2 && mue_cbor_uint(&c, &how) == 0 &&
	    how >= 1 && how <= 5 && mue_cbor_array(&c, &n) == 0)
		order = compare_version(&c, n, have);
	if (order < -1)
		return mue_fail(e, MUE_EFORMAT, "the manifest's version condition is not one");
	if (holds[how][order + 1])
		return 0;
	return mue_fail(e, MUE_ECONDITION, "the running version %s is not what the release needs",
			have);
}
