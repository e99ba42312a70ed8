import LinuxABI

/// The mappings of a process.
public final class AddressSpace {
    public init() {}
}
