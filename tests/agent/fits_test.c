/* Is this release for this device: one row for each answer, and that nothing else decides. */
#include "agent/release_check.h"
#include "core/bootstate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t vendor[16] = { 1 }, class_id[16] = { 2 }, other[16] = { 9 };
static const uint8_t image[32] = { 3 }, running[32] = { 4 };

static struct mue_view view(const void *data, size_t len)
{
	return (struct mue_view){ data, len };
}

static struct mue_view text(const char *t)
{
	return view(t, strlen(t));
}

/* A release that fits, and the device it fits. */
static void fitting(struct mue_suit_info *info, struct mue_device *d)
{
	struct mue_suit_component *c = &info->component[0];

	memset(info, 0, sizeof(*info));
	memset(d, 0, sizeof(*d));
	info->sequence_number = 8;
	info->counter = 3;
	info->vendor = view(vendor, sizeof(vendor));
	info->class_id = view(class_id, sizeof(class_id));
	info->component_count = 1;
	c->kind = text("os");
	c->name = text("rootfs");
	c->params.digest = view(image, sizeof(image));
	c->params.size = 1000;
	c->params.has_size = true;
	memcpy(d->vendor, vendor, sizeof(vendor));
	memcpy(d->class_id, class_id, sizeof(class_id));
	d->known = true;
	d->running.sequence = 7;
	memcpy(d->running.image, running, sizeof(running));
	d->floor = 3;
}

static void breaks_nothing(struct mue_suit_info *i, struct mue_device *d)
{
	(void)i;
	(void)d;
}
static void other_vendor(struct mue_suit_info *i, struct mue_device *d)
{
	(void)d;
	i->vendor = view(other, sizeof(other));
}
static void other_class(struct mue_suit_info *i, struct mue_device *d)
{
	(void)d;
	i->class_id = view(other, sizeof(other));
}
static void no_class(struct mue_suit_info *i, struct mue_device *d)
{
	(void)d;
	i->class_id = view(NULL, 0);
}
static void config_file(struct mue_suit_info *i, struct mue_device *d)
{
	(void)d;
	i->component[0].kind = text("config");
}
static void two_images(struct mue_suit_info *i, struct mue_device *d)
{
	(void)d;
	i->component[1] = i->component[0];
	i->component_count = 2;
}
static void encrypted(struct mue_suit_info *i, struct mue_device *d)
{
	(void)d;
	i->component[0].params.encryption = text("\x83");
}
static void no_digest(struct mue_suit_info *i, struct mue_device *d)
{
	(void)d;
	i->component[0].params.digest = view(NULL, 0);
}
static void same_sequence(struct mue_suit_info *i, struct mue_device *d)
{
	i->sequence_number = d->running.sequence;
}
static void older_but_nothing_runs(struct mue_suit_info *i, struct mue_device *d)
{
	d->known = false;
	i->sequence_number = 1;
}
static void below_the_floor(struct mue_suit_info *i, struct mue_device *d)
{
	i->counter = d->floor - 1;
}
static void counter_at_its_end(struct mue_suit_info *i, struct mue_device *d)
{
	(void)d;
	i->counter = MUE_BOOTSTATE_LAST + 1u;
}
static void too_large(struct mue_suit_info *i, struct mue_device *d)
{
	(void)d;
	i->component[0].params.size = 2001;
}
static void needs_what_runs(struct mue_suit_info *i, struct mue_device *d)
{
	(void)d;
	i->component[0].params.precursor = view(running, sizeof(running));
}
static void needs_another(struct mue_suit_info *i, struct mue_device *d)
{
	(void)d;
	i->component[0].params.precursor = view(other, sizeof(other));
}

static void each_reason_has_its_verdict(void **state)
{
	/* clang-format off */
	static const struct {
		const char *says;
		void (*change)(struct mue_suit_info *, struct mue_device *);
		int verdict;
	} rows[] = {
		{ "a release that fits is taken",          breaks_nothing,         0 },
		{ "another vendor",                        other_vendor,           MUE_EVENDOR },
		{ "another class",                         other_class,            MUE_ECLASS },
		{ "no class at all",                       no_class,               MUE_ECLASS },
		{ "a kind without an installer",           config_file,            MUE_EPROFILE },
		{ "two images for one slot",               two_images,             MUE_EPROFILE },
		{ "an encrypted payload, no content key",  encrypted,              MUE_EPROFILE },
		{ "an image without a digest",             no_digest,              MUE_EPROFILE },
		{ "the sequence that runs",                same_sequence,          MUE_EOLD },
		{ "any sequence when nothing is known",    older_but_nothing_runs, 0 },
		{ "below the rollback counter",            below_the_floor,        MUE_ECOUNTER },
		{ "a counter that leaves no room",         counter_at_its_end,     MUE_EEXHAUSTED },
		{ "larger than the slot",                  too_large,              MUE_ESIZE },
		{ "the precursor runs",                    needs_what_runs,        0 },
		{ "the precursor does not run",            needs_another,          MUE_EPRECURSOR },
	};
	/* clang-format on */
	struct mue_suit_info info;
	struct mue_device d;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mue_error e = { 0 };
		int r;

		fitting(&info, &d);
		rows[i].change(&info, &d);
		r = mue_release_fits(&info, &d, 2000, &e);
		if (r != rows[i].verdict)
			fail_msg("%s: got %s %s", rows[i].says, mue_err_name(r), e.text);
		if (r < 0)
			assert_true(strlen(e.text) > 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reason_has_its_verdict),
	};

	return cmocka_run_group_tests_name("agent-fits", tests, NULL, NULL);
}
