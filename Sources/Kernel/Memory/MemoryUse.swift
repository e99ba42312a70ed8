/// How much of the instance's memory is in use: what `--memory` bounds.
public enum MemoryUse {
    /// Pages that are neither the kernel's, nor a file's, nor touched by a program.
    ///
    /// A program's anonymous pages are the platform's and not counted as they come: they are
    /// looked at when somebody asks.
    public static var freePages: Int {
        var free = FrameAllocator.freeFrames
        ProcessTable.forEach { process in
            guard let space = process.addressSpace else { return }
            free -= space.residentAnonymousPages
        }
        return max(free, 0)
    }
}
