import LinuxABI

/// The open files of a process by descriptor number.
public final class DescriptorTable {
    public init() {}
}
