import LinuxABI

/// Where a process's paths begin: its root and working directory; and its umask.
public final class PathContext {
    public init() {}
}
