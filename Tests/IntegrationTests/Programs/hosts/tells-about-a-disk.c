// What programs that make and list file systems ask of a disk: /dev/vda, which is 1 MiB.
#include "../facts.h"
#include <linux/fs.h>
#include <linux/hdreg.h>
#include <sys/ioctl.h>

static void file(const char *path) {
    char text[256] = {0};
    int file = open(path, O_RDONLY);
    if (file < 0) return outcome(path, file);
    read(file, text, sizeof text - 1);
    text[strcspn(text, "\n")] = 0;
    tell(path, "%s", text);
    close(file);
}

int main(void) {
    int disk = must(open("/dev/vda", O_RDWR));
    unsigned long wide = 99;
    unsigned narrow = 99;
    unsigned short half = 99;
    struct hd_geometry geometry;
    must(ioctl(disk, BLKGETSIZE64, &wide));
    fact("bytes", wide);
    must(ioctl(disk, BLKIOMIN, &narrow));
    fact("least transfer", narrow);
    must(ioctl(disk, BLKIOOPT, &narrow));
    fact("best transfer", narrow);
    must(ioctl(disk, BLKALIGNOFF, &narrow));
    fact("alignment", narrow);
    must(ioctl(disk, BLKDISCARDZEROES, &narrow));
    fact("discarding zeroes", narrow);
    must(ioctl(disk, BLKROTATIONAL, &half));
    fact("turns", half);
    must(ioctl(disk, BLKSECTGET, &half));
    fact("largest transfer", half > 0);
    must(ioctl(disk, BLKRAGET, &wide));
    fact("read ahead", wide);
    must(ioctl(disk, HDIO_GETGEO, &geometry));
    tell("geometry", "%d %d %d", geometry.heads, geometry.sectors, geometry.cylinders);
    result("an unknown request", ioctl(disk, BLKRRPART));
    result("into a bad pointer", ioctl(disk, BLKIOMIN, 8));

    unsigned long range[2] = {4096, 200 << 10};
    unsigned char bytes[2];
    result("zeroes", ioctl(disk, BLKZEROOUT, range));
    must(pread(disk, bytes, 1, 4095));
    fact("before them", bytes[0] != 0);
    must(pread(disk, bytes, 1, 4096));
    fact("the first", bytes[0]);
    must(pread(disk, bytes, 1, 4096 + (200 << 10) - 1));
    fact("the last", bytes[0]);
    must(pread(disk, bytes, 1, 4096 + (200 << 10)));
    fact("behind them", bytes[0] != 0);
    range[0] = 100;
    result("zeroes in the middle of a sector", ioctl(disk, BLKZEROOUT, range));
    range[0] = 1 << 20;
    result("beyond the end", ioctl(disk, BLKZEROOUT, range));
    result("of one for reading", ioctl(must(open("/dev/vda", O_RDONLY)), BLKZEROOUT, range));

    file("/sys/block/vda/dev");
    file("/sys/block/vda/size");
    file("/sys/block/vda/ro");
    file("/sys/block/vda/queue/logical_block_size");
    file("/sys/block/vda/queue/rotational");
    file("/sys/dev/block/254:0/size");
    file("/sys/block/vdb/size");
    char table[256] = {0};
    must(read(must(open("/proc/partitions", O_RDONLY)), table, 255));
    printf("%s", table);
}
