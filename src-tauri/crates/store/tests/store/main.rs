//! The store from outside: the port's promises, on a real file, with real faults.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod child;
#[cfg(test)]
mod copies;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod files;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod power;
#[cfg(test)]
mod residue;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod support;
#[cfg(test)]
mod together;
#[cfg(test)]
mod transactions;
