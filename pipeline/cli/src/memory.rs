//! Memory: how the system's allocator shares it among threads.
#![cfg_attr(
    all(target_os = "linux", target_env = "gnu"),
    allow(unsafe_code, reason = "calls the C library; the call states why it is sound")
)]

/// Lets threads share two pools of memory for each processor; to be called before there are threads.
///
/// glibc makes up to eight for each processor and keeps in each what it once needed. A server whose
/// searches wander from thread to thread held 430 MB where 240 do; with one pool for each 210 do,
/// but threads wait for each other.
pub(crate) fn share() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let pools = libc::c_int::try_from(2 * processors).unwrap_or(libc::c_int::MAX);
        // SAFETY: it takes two numbers and no pointer; one that it does not like it ignores.
        unsafe { libc::mallopt(libc::M_ARENA_MAX, pools) };
    }
}
