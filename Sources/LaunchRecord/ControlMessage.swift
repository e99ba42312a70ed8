/// Signals between `unirun` and the kernel's processes, which no program sees.
public enum HostSignal {
    /// The timer's; from `unirun` it means to look at what is pending.
    public static var interrupt: Int32 { 34 }
    /// There are signals for the program in the word at `wordOffset`, which was zero before. They are not
    /// sent as such: while the same signal is pending that somebody sent to the whole group, which means
    /// `unirun`, the host takes both for one.
    public static var bell: Int32 { 16 }
    /// Where the memory's file has a bit for each signal that waits for the program, 1 << (n - 1):
    /// `outside_signals` of `struct cpu`.
    public static var wordOffset: Int { 40 }
}

/// One request of the kernel to `unirun`, and the answer, on `HostDescriptor.control`.
///
/// Both are `ControlMessage.encodedSize` bytes, little-endian:
///
///     u32 operation, i32 descriptor, u64 argument, i64 result, u8 payload[104]
///
/// An answer repeats the operation; `result` is zero or more, or a negated errno. One request is
/// under way at a time. `unirun` refuses what is not listed here with `EPERM`: a hostile kernel
/// gains nothing on this socket but control over the terminal that it was given.
public enum ControlMessage {
    public static let encodedSize = 128
    public static let payloadOffset = 24
    public static let payloadSize = 104

    public enum Operation: UInt32, Sendable {
        /// A terminal or `FIONREAD` ioctl on a standard stream; `argument` is the request number,
        /// with `backgroundAllowed`; the payload is the structure that it reads or writes, or the
        /// `i32` that is passed by value (`TCSBRK`, `TCXONC`, `TCFLSH`).
        ///
        /// Group numbers of the guest mean nothing to the host: `TIOCGPGRP` answers two `i32`, the
        /// terminal's foreground group and that of `unirun`, equal when the instance is in the
        /// foreground. `TIOCSPGRP` brings the group of `unirun` there, whatever the payload.
        case inputOutputControl = 1
        /// `lseek` on a standard stream; `argument` is the offset, `payload[0]` whence.
        case seek = 2
        /// The program stopped: stop `unirun` likewise, answer when it is continued. `argument` is
        /// the signal (`SIGTSTP` when 0, `SIGSTOP`, `SIGTTIN`, `SIGTTOU`). A `SIGCONT` sent to
        /// `unirun` is forwarded like any signal, beside the answer.
        case stop = 3
        /// `ftruncate` of a standard stream that is a regular file; `argument` is the length.
        case truncate = 4
        /// `fsync` of a standard stream.
        case synchronize = 5
        /// `fstat` of a standard stream; the payload begins with a `HostStream`.
        case status = 6
        /// Sites of the program that were rewritten; `argument` is how many `KnownSite`s the payload
        /// begins with. `unirun` keeps them for the next run, and for nothing else.
        case knownSites = 7
        /// Interrupt all processes of the instance but the first. There is no answer.
        case interruptOthers = 8
        /// From now on there are copies of the process. `descriptor` is the kernel's on which the filter
        /// asks about each (seccomp_unotify(2)), negative where the host gave it none. There is no answer.
        case countCopies = 9
    }
    /// Beside the number of an ioctl that changes the terminal: the calling thread blocks or
    /// ignores `SIGTTOU`, so the change is made from the background too.
    public static let backgroundAllowed: UInt64 = 1 << 32

    /// Answer to such an ioctl from the background (`-ERESTARTSYS`): send `SIGTTOU` to the
    /// caller's process group and restart the call, as the host's terminal would.
    public static let stopsInBackground: Int64 = -512
}
