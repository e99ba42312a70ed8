import Platform

/// Stands in for the world in hosted tests: a clock that moves when told, memory of its own.
public enum FakePlatform {
    nonisolated(unsafe) public static var time: UInt64 = 1_000_000_000
}
