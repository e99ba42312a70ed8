import FakePlatform
import Kernel
import Platform

/// Runs `body` with the kernel's memory started on a fresh fake platform, alone.
func withMachine<Result>(_ body: () throws -> Result) rethrows -> Result {
    try FakePlatform.exclusive {
        machine = UnsafePointer(FakePlatform.operations)
        boot = UnsafePointer(FakePlatform.information)
        FrameAllocator.start()
        return try body()
    }
}
