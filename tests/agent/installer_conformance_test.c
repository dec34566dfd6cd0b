/* Every installer member keeps the port's promises (agent/installers/installer.h). */
#include "agent/installers/sim.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PLACE (64 * 1024)

struct rig {
	char folder[64], image[96], loop[64];
	struct mue_sim_power power;
	struct mue_sim_medium medium;
	struct mue_installer member;
};

static uint8_t now[PLACE], safe[PLACE];
static bool dirty[PLACE / MUE_SIM_SECTOR];

static int rig_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	snprintf(rig->folder, sizeof(rig->folder), "/tmp/mue-installer-XXXXXX");
	assert_non_null(mkdtemp(rig->folder));
	snprintf(rig->image, sizeof(rig->image), "%s/slot", rig->folder);
	*state = rig;
	return 0;
}

static int rig_down(void **state)
{
	struct rig *rig = *state;

	unlink(rig->image);
	rmdir(rig->folder);
	free(rig);
	return 0;
}

/* What the header promises, whoever the member is. */
static void keeps_the_promises(struct mue_installer *i)
{
	_Alignas(MUE_INSTALLER_ALIGN) static uint8_t buf[2 * MUE_INSTALLER_ALIGN];
	struct mue_error e = { 0 };
	uint8_t data[5000];

	for (size_t n = 0; n < sizeof(data); n++)
		data[n] = (uint8_t)(n * 31);
	assert_int_equal(i->ops->open(i, (uint64_t)PLACE * 4096, &e), MUE_ESIZE);
	i->ops->close(i);
	i->ops->close(i); /* harmless */
	assert_int_equal(i->ops->open(i, PLACE, &e), 0);
	assert_int_equal(i->ops->write(i, 100, data, sizeof(data), &e), 0);
	i->ops->push(i, 0, PLACE);
	assert_int_equal(i->ops->sync(i, &e), 0);
	assert_int_equal(i->ops->read(i, 100, buf, sizeof(data), &e), 0);
	assert_memory_equal(buf, data, sizeof(data));
	/* an aligned read goes another way, and gives the same */
	assert_int_equal(i->ops->read(i, 0, buf, MUE_INSTALLER_ALIGN, &e), 0);
	assert_memory_equal(buf + 100, data, MUE_INSTALLER_ALIGN - 100);
	/* opened again it still has what was there: that is what resuming needs */
	i->ops->close(i);
	assert_int_equal(i->ops->open(i, PLACE, &e), 0);
	assert_int_equal(i->ops->read(i, 100, buf, sizeof(data), &e), 0);
	assert_memory_equal(buf, data, sizeof(data));
	assert_int_not_equal(i->ops->read(i, (uint64_t)PLACE * 4096, buf, 512, &e), 0);
	i->ops->close(i);
}

static void the_image_file_conforms(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(mue_installer_init(&rig->member, rig->image, PLACE, NULL), 0);
	assert_ptr_equal(rig->member.ops, &mue_installer_image);
	keeps_the_promises(&rig->member);
}

static void the_memory_conforms(void **state)
{
	struct rig *rig = *state;

	rig->medium = (struct mue_sim_medium){
		.power = &rig->power, .size = PLACE, .now = now, .safe = safe, .dirty = dirty
	};
	mue_installer_sim_init(&rig->member, &rig->medium);
	keeps_the_promises(&rig->member);
}

/* A loop device over a file; its name by losetup, for numbers are shared by the whole machine. */
static bool attach(struct rig *rig)
{
	char command[256];
	FILE *f;
	bool ok;

	snprintf(command, sizeof(command), "truncate -s %d %s && losetup --show -f %s 2>/dev/null",
		 PLACE, rig->image, rig->image);
	f = popen(command, "r");
	ok = f && fgets(rig->loop, sizeof(rig->loop), f);
	if (f)
		pclose(f);
	rig->loop[strcspn(rig->loop, "\n")] = 0;
	return ok;
}

static void the_block_device_conforms(void **state)
{
	struct rig *rig = *state;
	char command[128];

	unlink(rig->image);
	if (geteuid() != 0 || !attach(rig)) {
		print_message("# skipped: no root or no loop device\n");
		skip();
	}
	assert_int_equal(mue_installer_init(&rig->member, rig->loop, 0, NULL), 0);
	assert_ptr_equal(rig->member.ops, &mue_installer_block);
	keeps_the_promises(&rig->member);
	snprintf(command, sizeof(command), "losetup -d %s", rig->loop);
	assert_int_equal(system(command), 0);
}

static void a_place_in_use_is_refused(void **state)
{
	struct rig *rig = *state;
	char command[128];
	struct mue_error e = { 0 };
	int fd;

	unlink(rig->image);
	if (geteuid() != 0 || !attach(rig)) {
		print_message("# skipped: no root or no loop device\n");
		skip();
	}
	fd = open(rig->loop, O_RDWR | O_EXCL | O_CLOEXEC); /* as a mount would hold it */
	assert_true(fd >= 0);
	assert_int_equal(mue_installer_init(&rig->member, rig->loop, 0, NULL), 0);
	assert_int_equal(rig->member.ops->open(&rig->member, 512, &e), MUE_EBUSY);
	assert_non_null(strstr(e.text, "in use"));
	close(fd);
	snprintf(command, sizeof(command), "losetup -d %s", rig->loop);
	assert_int_equal(system(command), 0);
}

static void what_is_no_place_is_refused(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(mue_installer_init(&rig->member, "/dev/null", 0, NULL), MUE_EPROFILE);
	assert_int_equal(mue_installer_init(&rig->member, rig->folder, 0, NULL), MUE_EPROFILE);
}

static void two_names_of_one_medium_are_seen(void **state)
{
	struct rig *rig = *state;
	char other[128];
	int fd = open(rig->image, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
	snprintf(other, sizeof(other), "%s/link", rig->folder);
	assert_int_equal(symlink("slot", other), 0);
	assert_true(mue_installer_same(rig->image, other));
	assert_false(mue_installer_same(rig->image, "/etc/passwd"));
	unlink(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_image_file_conforms),
		cmocka_unit_test(the_memory_conforms),
		cmocka_unit_test(the_block_device_conforms),
		cmocka_unit_test(a_place_in_use_is_refused),
		cmocka_unit_test(what_is_no_place_is_refused),
		cmocka_unit_test(two_names_of_one_medium_are_seen),
	};

	return cmocka_run_group_tests(tests, rig_up, rig_down);
}
