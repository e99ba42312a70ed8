import LinuxABI

/// The terminal that `unirun` was given: it controls the session of the first program. Its modes and its
/// size are the host's; which of the guest's groups is in the foreground the guest alone knows.
final class HostTerminal: ControllingTerminal {
    /// /dev/console
    override var device: UInt64 { deviceNumber(5, 1) }

    override func open(_ dentry: Dentry, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        try StandardStreams.openTerminal(flags)
    }

    /// As with a program that a shell started: its children outlive it at the terminal.
    override var endsWithLeader: Bool { false }
}
