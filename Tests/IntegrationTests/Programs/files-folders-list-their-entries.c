#include "facts.h"
#include <dirent.h>

static int compare(const void *left, const void *right) { return strcmp(*(char **)left, *(char **)right); }

int main(void) {
    mkdir("folder", 0755);
    chdir("folder");
    char name[32];
    for (int each = 0; each < 500; each++) {
        sprintf(name, "entry-%03d", each);
        close(must(open(name, O_CREAT | O_WRONLY, 0644)));
    }
    mkdir("sub", 0755);
    symlink("sub", "link");
    DIR *folder = opendir(".");
    char *names[600];
    int count = 0, types[16] = {0};
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        names[count++] = strdup(entry->d_name);
        types[entry->d_type & 15]++;
        struct stat status;
        lstat(entry->d_name, &status);
        if (strcmp(entry->d_name, "..") != 0) check(status.st_ino == entry->d_ino);
    }
    qsort(names, count, sizeof *names, compare);
    fact("entries", count);
    tell("first and last", "%s %s %s %s", names[0], names[1], names[2], names[count - 1]);
    tell("types", "folders %d files %d links %d", types[DT_DIR], types[DT_REG], types[DT_LNK]);
    rewinddir(folder);
    int again = 0;
    while (readdir(folder)) again++;
    fact("after rewinding", again);
    rewinddir(folder);
    for (int each = 0; each < 100; each++) readdir(folder);
    long place = telldir(folder);
    char expected[64];
    strcpy(expected, readdir(folder)->d_name);
    for (int each = 0; each < 50; each++) readdir(folder);
    seekdir(folder, place);
    fact("seekdir comes back", strcmp(readdir(folder)->d_name, expected) == 0);
    rewinddir(folder);
    int removed = 0;
    while ((entry = readdir(folder))) {
        if (strncmp(entry->d_name, "entry", 5) == 0) removed += unlink(entry->d_name) == 0;
    }
    fact("removed while listing", removed);
    closedir(folder);
    int file = make_file("file", "x");
    char buffer[16];
    result("getdents of a file", syscall(SYS_getdents64, file, buffer, sizeof buffer));
    int here = open(".", O_RDONLY);
    result("small buffer", syscall(SYS_getdents64, here, buffer, sizeof buffer));
    result("read of a folder", read(here, buffer, 1));
}
