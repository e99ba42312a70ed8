/// The names that Linux's headers give to arguments of system calls, and strace(1) shows.
extension NameTable {
    // MARK: Files

    static var access: NameTable { NameTable("O_??? 0:O_RDONLY O_WRONLY O_RDWR O_ACCMODE") }
    /// Bits of several come before those that they contain.
    static var open: NameTable {
        NameTable(
            """
            O_??? 40:O_CREAT 80:O_EXCL 100:O_NOCTTY 200:O_TRUNC 400:O_APPEND 800:O_NONBLOCK \
            101000:O_SYNC 1000:O_DSYNC 2000:FASYNC 4000:O_DIRECT 8000:O_LARGEFILE \
            410000:O_TMPFILE 10000:O_DIRECTORY 20000:O_NOFOLLOW 40000:O_NOATIME 80000:O_CLOEXEC \
            200000:O_PATH
            """
        )
    }
    static var fileType: NameTable {
        NameTable(
            """
            S_IF??? 1000:S_IFIFO 2000:S_IFCHR 4000:S_IFDIR 6000:S_IFBLK 8000:S_IFREG \
            a000:S_IFLNK c000:S_IFSOCK
            """
        )
    }
    static var accessMode: NameTable { NameTable("?_OK 0:F_OK X_OK W_OK 4:R_OK") }
    static var whence: NameTable {
        NameTable("SEEK_??? 0:SEEK_SET SEEK_CUR SEEK_END SEEK_DATA SEEK_HOLE")
    }
    static var fileControl: NameTable {
        NameTable(
            """
            F_??? 0:F_DUPFD F_GETFD F_SETFD F_GETFL F_SETFL F_GETLK F_SETLK F_SETLKW F_SETOWN \
            F_GETOWN F_SETSIG F_GETSIG f:F_SETOWN_EX F_GETOWN_EX 24:F_OFD_GETLK F_OFD_SETLK \
            F_OFD_SETLKW 400:F_SETLEASE F_GETLEASE F_NOTIFY 406:F_DUPFD_CLOEXEC F_SETPIPE_SZ \
            F_GETPIPE_SZ F_ADD_SEALS F_GET_SEALS F_GET_RW_HINT F_SET_RW_HINT F_GET_FILE_RW_HINT \
            F_SET_FILE_RW_HINT
            """
        )
    }
    static var lockType: NameTable { NameTable("F_??? 0:F_RDLCK F_WRLCK F_UNLCK") }
    static var lockOperation: NameTable {
        NameTable("LOCK_??? 1:LOCK_SH LOCK_EX 8:LOCK_UN 4:LOCK_NB")
    }
    static var atFlags: NameTable {
        NameTable(
            """
            AT_??? 100:AT_SYMLINK_NOFOLLOW 200:AT_REMOVEDIR 400:AT_SYMLINK_FOLLOW \
            800:AT_NO_AUTOMOUNT 1000:AT_EMPTY_PATH 2000:AT_STATX_FORCE_SYNC \
            4000:AT_STATX_DONT_SYNC 8000:AT_RECURSIVE
            """
        )
    }
    static var statxMask: NameTable {
        NameTable(
            """
            STATX_??? 7ff:STATX_BASIC_STATS 1:STATX_TYPE 2:STATX_MODE 4:STATX_NLINK 8:STATX_UID \
            10:STATX_GID 20:STATX_ATIME 40:STATX_MTIME 80:STATX_CTIME 100:STATX_INO \
            200:STATX_SIZE 400:STATX_BLOCKS 800:STATX_BTIME 1000:STATX_MNT_ID
            """
        )
    }
    static var allocation: NameTable {
        NameTable(
            """
            FALLOC_FL_??? 1:FALLOC_FL_KEEP_SIZE FALLOC_FL_PUNCH_HOLE 8:FALLOC_FL_COLLAPSE_RANGE \
            10:FALLOC_FL_ZERO_RANGE 20:FALLOC_FL_INSERT_RANGE 40:FALLOC_FL_UNSHARE_RANGE
            """
        )
    }
    static var rename: NameTable {
        NameTable("RENAME_??? 1:RENAME_NOREPLACE RENAME_EXCHANGE 4:RENAME_WHITEOUT")
    }
    static var attribute: NameTable { NameTable("XATTR_??? 1:XATTR_CREATE XATTR_REPLACE") }
    static var transfer: NameTable {
        NameTable("RWF_??? 1:RWF_HIPRI RWF_DSYNC 4:RWF_SYNC 8:RWF_NOWAIT 10:RWF_APPEND")
    }
    static var splice: NameTable {
        NameTable("SPLICE_F_??? 1:SPLICE_F_MOVE SPLICE_F_NONBLOCK 4:SPLICE_F_MORE 8:SPLICE_F_GIFT")
    }
    static var watch: NameTable {
        NameTable(
            """
            IN_??? fff:IN_ALL_EVENTS 1:IN_ACCESS IN_MODIFY 4:IN_ATTRIB 8:IN_CLOSE_WRITE \
            10:IN_CLOSE_NOWRITE 20:IN_OPEN 40:IN_MOVED_FROM 80:IN_MOVED_TO 100:IN_CREATE \
            200:IN_DELETE 400:IN_DELETE_SELF 800:IN_MOVE_SELF 1000000:IN_ONLYDIR \
            2000000:IN_DONT_FOLLOW 4000000:IN_EXCL_UNLINK 10000000:IN_MASK_CREATE \
            20000000:IN_MASK_ADD 80000000:IN_ONESHOT
            """
        )
    }
    static var ipc: NameTable {
        NameTable("IPC_??? 200:IPC_CREAT 400:IPC_EXCL 800:IPC_NOWAIT 1000:MSG_NOERROR MSG_EXCEPT")
    }
    static var mount: NameTable {
        NameTable(
            """
            MS_??? 1:MS_RDONLY MS_NOSUID 4:MS_NODEV 8:MS_NOEXEC 10:MS_SYNCHRONOUS 20:MS_REMOUNT \
            40:MS_MANDLOCK 80:MS_DIRSYNC 400:MS_NOATIME 800:MS_NODIRATIME 1000:MS_BIND \
            2000:MS_MOVE 4000:MS_REC 8000:MS_SILENT 10000:MS_POSIXACL 20000:MS_UNBINDABLE \
            40000:MS_PRIVATE 80000:MS_SLAVE 100000:MS_SHARED 200000:MS_RELATIME \
            1000000:MS_STRICTATIME 2000000:MS_LAZYTIME
            """
        )
    }
    static var unmount: NameTable {
        NameTable("MNT_??? 1:MNT_FORCE MNT_DETACH 4:MNT_EXPIRE 8:UMOUNT_NOFOLLOW")
    }
    static var rangeSync: NameTable {
        NameTable(
            """
            SYNC_FILE_RANGE_??? 1:SYNC_FILE_RANGE_WAIT_BEFORE SYNC_FILE_RANGE_WRITE \
            4:SYNC_FILE_RANGE_WAIT_AFTER
            """
        )
    }
    static var closeRange: NameTable {
        NameTable("CLOSE_RANGE_??? 2:CLOSE_RANGE_UNSHARE 4:CLOSE_RANGE_CLOEXEC")
    }
    static var memoryFile: NameTable {
        NameTable("MFD_??? 1:MFD_CLOEXEC MFD_ALLOW_SEALING 4:MFD_HUGETLB")
    }
    static var poll: NameTable {
        NameTable(
            """
            POLL??? 1:POLLIN POLLPRI 4:POLLOUT 40:POLLRDNORM 80:POLLRDBAND 100:POLLWRNORM \
            200:POLLWRBAND 400:POLLMSG 2000:POLLRDHUP 8:POLLERR 10:POLLHUP 20:POLLNVAL
            """
        )
    }
    static var epollOperation: NameTable {
        NameTable("EPOLL_CTL_??? 1:EPOLL_CTL_ADD EPOLL_CTL_DEL EPOLL_CTL_MOD")
    }
    static var epollEvents: NameTable {
        NameTable(
            """
            EPOLL??? 1:EPOLLIN EPOLLPRI 4:EPOLLOUT 40:EPOLLRDNORM 80:EPOLLRDBAND 100:EPOLLWRNORM \
            200:EPOLLWRBAND 400:EPOLLMSG 8:EPOLLERR 10:EPOLLHUP 2000:EPOLLRDHUP \
            10000000:EPOLLEXCLUSIVE 20000000:EPOLLWAKEUP 40000000:EPOLLONESHOT 80000000:EPOLLET
            """
        )
    }
    static var epoll: NameTable { NameTable("EPOLL_??? 80000:EPOLL_CLOEXEC") }
    static var event: NameTable {
        NameTable("EFD_??? 1:EFD_SEMAPHORE 80000:EFD_CLOEXEC 800:EFD_NONBLOCK")
    }
    static var timerDescriptor: NameTable {
        NameTable("TFD_??? 80000:TFD_CLOEXEC 800:TFD_NONBLOCK")
    }
    static var inputOutputControl: NameTable {
        NameTable(
            """
            _IOC??? 5401:TCGETS TCSETS TCSETSW TCSETSF TCGETA TCSETA TCSETAW TCSETAF TCSBRK TCXONC \
            TCFLSH TIOCEXCL TIOCNXCL TIOCSCTTY TIOCGPGRP TIOCSPGRP TIOCOUTQ TIOCSTI TIOCGWINSZ \
            TIOCSWINSZ TIOCMGET TIOCMBIS TIOCMBIC TIOCMSET TIOCGSOFTCAR TIOCSSOFTCAR FIONREAD \
            TIOCLINUX TIOCCONS TIOCGSERIAL TIOCSSERIAL TIOCPKT FIONBIO TIOCNOTTY TIOCSETD TIOCGETD \
            TCSBRKP 5427:TIOCSBRK TIOCCBRK TIOCGSID 5450:FIONCLEX FIOCLEX FIOASYNC \
            802c542a:TCGETS2 402c542b:TCSETS2 402c542c:TCSETSW2 402c542d:TCSETSF2 \
            80045430:TIOCGPTN 40045431:TIOCSPTLCK
            """
        )
    }

    // MARK: Memory

    static var protection: NameTable {
        NameTable(
            """
            PROT_??? 0:PROT_NONE PROT_READ PROT_WRITE 4:PROT_EXEC 8:PROT_SEM 1000000:PROT_GROWSDOWN \
            2000000:PROT_GROWSUP
            """
        )
    }
    static var sharing: NameTable {
        NameTable("MAP_??? 1:MAP_SHARED MAP_PRIVATE MAP_SHARED_VALIDATE")
    }
    static var mapping: NameTable {
        NameTable(
            """
            MAP_??? 10:MAP_FIXED 20:MAP_ANONYMOUS 40:MAP_32BIT 4000:MAP_NORESERVE 8000:MAP_POPULATE \
            10000:MAP_NONBLOCK 100:MAP_GROWSDOWN 800:MAP_DENYWRITE 1000:MAP_EXECUTABLE \
            2000:MAP_LOCKED 20000:MAP_STACK 40000:MAP_HUGETLB 80000:MAP_SYNC \
            100000:MAP_FIXED_NOREPLACE
            """
        )
    }
    static var remap: NameTable {
        NameTable("MREMAP_??? 1:MREMAP_MAYMOVE MREMAP_FIXED 4:MREMAP_DONTUNMAP")
    }
    static var advice: NameTable {
        NameTable(
            """
            MADV_??? 0:MADV_NORMAL MADV_RANDOM MADV_SEQUENTIAL MADV_WILLNEED MADV_DONTNEED \
            8:MADV_FREE MADV_REMOVE MADV_DONTFORK MADV_DOFORK MADV_MERGEABLE MADV_UNMERGEABLE \
            MADV_HUGEPAGE MADV_NOHUGEPAGE 10:MADV_DONTDUMP MADV_DODUMP MADV_WIPEONFORK \
            MADV_KEEPONFORK MADV_COLD MADV_PAGEOUT MADV_POPULATE_READ MADV_POPULATE_WRITE
            """
        )
    }
    static var synchronize: NameTable {
        NameTable("MS_??? 1:MS_ASYNC MS_INVALIDATE 4:MS_SYNC")
    }
    static var lock: NameTable { NameTable("MCL_??? 1:MCL_CURRENT MCL_FUTURE 4:MCL_ONFAULT") }

    // MARK: Tasks

    static var clone: NameTable {
        NameTable(
            """
            CLONE_??? 100:CLONE_VM 200:CLONE_FS 400:CLONE_FILES 800:CLONE_SIGHAND 1000:CLONE_PIDFD \
            2000:CLONE_PTRACE 4000:CLONE_VFORK 8000:CLONE_PARENT 10000:CLONE_THREAD \
            20000:CLONE_NEWNS 40000:CLONE_SYSVSEM 80000:CLONE_SETTLS 100000:CLONE_PARENT_SETTID \
            200000:CLONE_CHILD_CLEARTID 400000:CLONE_DETACHED 800000:CLONE_UNTRACED \
            1000000:CLONE_CHILD_SETTID 2000000:CLONE_NEWCGROUP 4000000:CLONE_NEWUTS \
            8000000:CLONE_NEWIPC 10000000:CLONE_NEWUSER 20000000:CLONE_NEWPID \
            40000000:CLONE_NEWNET 80000000:CLONE_IO
            """
        )
    }
    static var futex: NameTable {
        NameTable(
            """
            FUTEX_??? 0:FUTEX_WAIT FUTEX_WAKE FUTEX_FD FUTEX_REQUEUE FUTEX_CMP_REQUEUE \
            FUTEX_WAKE_OP FUTEX_LOCK_PI FUTEX_UNLOCK_PI FUTEX_TRYLOCK_PI FUTEX_WAIT_BITSET \
            FUTEX_WAKE_BITSET FUTEX_WAIT_REQUEUE_PI FUTEX_CMP_REQUEUE_PI FUTEX_LOCK_PI2
            """
        )
    }
    static var wait: NameTable {
        NameTable(
            """
            W??? 1:WNOHANG WSTOPPED 4:WEXITED 8:WCONTINUED 1000000:WNOWAIT 20000000:__WNOTHREAD \
            40000000:__WALL 80000000:__WCLONE
            """
        )
    }
    static var resource: NameTable {
        NameTable(
            """
            RLIMIT_??? 0:RLIMIT_CPU RLIMIT_FSIZE RLIMIT_DATA RLIMIT_STACK RLIMIT_CORE RLIMIT_RSS \
            RLIMIT_NPROC RLIMIT_NOFILE RLIMIT_MEMLOCK RLIMIT_AS RLIMIT_LOCKS RLIMIT_SIGPENDING \
            RLIMIT_MSGQUEUE RLIMIT_NICE RLIMIT_RTPRIO RLIMIT_RTTIME
            """
        )
    }
    static var usageWho: NameTable {
        NameTable("RUSAGE_??? 0:RUSAGE_SELF RUSAGE_THREAD ffffffff:RUSAGE_CHILDREN")
    }
    static var scheduling: NameTable {
        NameTable("SCHED_??? 0:SCHED_OTHER SCHED_FIFO SCHED_RR SCHED_BATCH 5:SCHED_IDLE")
    }
    static var processControl: NameTable {
        NameTable(
            """
            PR_??? 1:PR_SET_PDEATHSIG PR_GET_PDEATHSIG PR_GET_DUMPABLE PR_SET_DUMPABLE \
            7:PR_GET_KEEPCAPS PR_SET_KEEPCAPS d:PR_GET_TIMING PR_SET_TIMING PR_SET_NAME \
            PR_GET_NAME 15:PR_GET_SECCOMP PR_SET_SECCOMP PR_CAPBSET_READ PR_CAPBSET_DROP PR_GET_TSC \
            PR_SET_TSC PR_GET_SECUREBITS PR_SET_SECUREBITS PR_SET_TIMERSLACK PR_GET_TIMERSLACK \
            23:PR_SET_MM PR_SET_CHILD_SUBREAPER PR_GET_CHILD_SUBREAPER PR_SET_NO_NEW_PRIVS \
            PR_GET_NO_NEW_PRIVS PR_GET_TID_ADDRESS PR_SET_THP_DISABLE PR_GET_THP_DISABLE \
            2f:PR_CAP_AMBIENT 53564d41:PR_SET_VMA
            """
        )
    }
    static var architectureControl: NameTable {
        NameTable(
            """
            ARCH_??? 1001:ARCH_SET_GS ARCH_SET_FS ARCH_GET_FS ARCH_GET_GS 1011:ARCH_GET_CPUID \
            ARCH_SET_CPUID 1021:ARCH_GET_XCOMP_SUPP ARCH_GET_XCOMP_PERM ARCH_REQ_XCOMP_PERM \
            3001:ARCH_CET_STATUS
            """
        )
    }
    static var random: NameTable {
        NameTable("GRND_??? 1:GRND_NONBLOCK GRND_RANDOM 4:GRND_INSECURE")
    }

    // MARK: Signals

    static var signal: NameTable {
        NameTable(
            """
            SIG??? 1:SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 \
            SIGSEGV SIGUSR2 SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP \
            SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS \
            SIGRTMIN
            """
        )
    }
    static var maskOperation: NameTable {
        NameTable("SIG_??? 0:SIG_BLOCK SIG_UNBLOCK SIG_SETMASK")
    }
    static var actionFlags: NameTable {
        NameTable(
            """
            SA_??? 4000000:SA_RESTORER 8000000:SA_ONSTACK 10000000:SA_RESTART \
            40000000:SA_NODEFER 80000000:SA_RESETHAND 4:SA_SIGINFO 1:SA_NOCLDSTOP SA_NOCLDWAIT \
            800:SA_EXPOSE_TAGBITS
            """
        )
    }
    static var stackFlags: NameTable {
        NameTable("SS_??? 1:SS_ONSTACK SS_DISABLE 80000000:SS_AUTODISARM")
    }
    static var signalCode: NameTable {
        NameTable(
            """
            SI_??? 0:SI_USER 80:SI_KERNEL fffffff9:SI_DETHREAD SI_TKILL SI_SIGIO \
            SI_ASYNCIO SI_MESGQ SI_TIMER SI_QUEUE
            """
        )
    }
    /// The codes that a signal has of its own.
    static func signalCode(of signal: Int32) -> NameTable {
        switch signal {
        case 4:
            NameTable(
                """
                ILL_??? 1:ILL_ILLOPC ILL_ILLOPN ILL_ILLADR ILL_ILLTRP ILL_PRVOPC ILL_PRVREG \
                ILL_COPROC ILL_BADSTK
                """
            )
        case 5: NameTable("TRAP_??? 1:TRAP_BRKPT TRAP_TRACE TRAP_BRANCH TRAP_HWBKPT")
        case 7: NameTable("BUS_??? 1:BUS_ADRALN BUS_ADRERR BUS_OBJERR")
        case 8:
            NameTable(
                """
                FPE_??? 1:FPE_INTDIV FPE_INTOVF FPE_FLTDIV FPE_FLTOVF FPE_FLTUND FPE_FLTRES \
                FPE_FLTINV FPE_FLTSUB
                """
            )
        case 11: NameTable("SEGV_??? 1:SEGV_MAPERR SEGV_ACCERR SEGV_BNDERR SEGV_PKUERR")
        case 17:
            NameTable(
                "CLD_??? 1:CLD_EXITED CLD_KILLED CLD_DUMPED CLD_TRAPPED CLD_STOPPED CLD_CONTINUED"
            )
        case 31: NameTable("SYS_??? 1:SYS_SECCOMP SYS_USER_DISPATCH")
        default: signalCode
        }
    }

    // MARK: Time

    static var clock: NameTable {
        NameTable(
            """
            CLOCK_??? 0:CLOCK_REALTIME CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID \
            CLOCK_THREAD_CPUTIME_ID CLOCK_MONOTONIC_RAW CLOCK_REALTIME_COARSE \
            CLOCK_MONOTONIC_COARSE CLOCK_BOOTTIME CLOCK_REALTIME_ALARM CLOCK_BOOTTIME_ALARM \
            b:CLOCK_TAI
            """
        )
    }
    static var timer: NameTable {
        NameTable("TIMER_??? 1:TIMER_ABSTIME TFD_TIMER_CANCEL_ON_SET")
    }
    static var interval: NameTable {
        NameTable("ITIMER_??? 0:ITIMER_REAL ITIMER_VIRTUAL ITIMER_PROF")
    }
}
